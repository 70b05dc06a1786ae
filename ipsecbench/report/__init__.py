"""The HTML report: one self-contained file made from a dataset and a recommendation, the same for the same inputs.

``formats`` turns figures into words; ``svg``, ``scales``, ``legend``, ``dot_plot`` and ``xy_plot`` draw; ``figures``,
``suite_figures`` and ``box_figures`` choose what is drawn; ``validity`` and ``environment`` gather what is said;
``embedded`` carries the data; ``page`` puts it all together and into its file.
"""
