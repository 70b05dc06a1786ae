"""One module for each target, with its :data:`TARGET`; :func:`ipsecbench.export.target.find_target` imports one."""
