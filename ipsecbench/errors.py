"""The whole exception tree of ipsecbench.

::

    IpsecbenchError                exit code 1
    ├── UsageError                 exit code 2   the caller asked for something that does not exist
    │   └── ConfigurationError     exit code 2   the configuration of an endpoint is wrong, at a file and line
    ├── ProtocolError              exit code 1   a peer sent what the protocol does not allow
    │   ├── MalformedError         exit code 1   octets do not parse
    │   ├── NegotiationError       exit code 1   what the peer asks for or offers is not acceptable here
    │   ├── AuthenticationError    exit code 1   the peer did not prove the identity that it must have
    │   └── DroppedError           exit code 1   a packet is dropped and counted
    ├── AgentError                 exit code 1   the agent is missing, died or refused an order
    │   ├── AgentGoneError         exit code 1   the agent ended, so that an order has no answer
    │   └── UnsupportedError       exit code 1   this library on this box has no such algorithm
    ├── RemoteError                exit code 1   another box cannot be reached, or does not do its part
    │   └── ConnectionLostError    exit code 1   there is no connection to it, now or any more
    ├── DataPlaneError             exit code 1   a data plane cannot be had here, or refused an SA or a policy
    ├── ProviderError              exit code 1   a cryptographic library failed
    │   └── RejectedError          exit code 1   the input is forged or malformed
    ├── CorrectnessError           exit code 5   a known answer came out wrong
    ├── MeasurementError           exit code 1   nothing usable could be measured
    │   └── UnstableError          exit code 4   measured, but not to the precision asked for
    ├── DatasetError               exit code 1   a dataset is damaged, too new, or not a dataset
    ├── LaboratoryError            exit code 1   a namespace, a peer or a capture could not be set up or did not answer
    └── PolicyError                exit code 3   no parameter set meets the policy and the requirements
        └── RefusedError           exit code 3   a configuration cannot or must not be written; says why, line by line

Every message is one line that says what is wrong and what to do about it: the command line prints it as it is.
"""

from __future__ import annotations


class IpsecbenchError(Exception):
    """Root of every error that the command line turns into one clear line.

    Attributes:
        exit_code: the documented exit code of the process that ends with this error.
    """

    exit_code = 1


class UsageError(IpsecbenchError):
    """The caller named something that does not exist, or asked for nonsense (exit code 2)."""

    exit_code = 2


class ConfigurationError(UsageError):
    """The configuration of an endpoint is wrong; the message begins with the file and, where known, the line."""


class ProtocolError(IpsecbenchError):
    """A peer sent what the protocol does not allow. Never the fault of the caller.

    Attributes:
        notify: number of the Notify Message Type to answer with, where the exchange allows an answer; None for silence.
        data: Notification Data of that answer.
    """

    def __init__(self, message: str, notify: int | None = None, data: bytes = b"") -> None:
        super().__init__(message)
        self.notify = notify
        self.data = data


class MalformedError(ProtocolError):
    """Octets do not parse: too short, too long, or with a length that contradicts another."""


class NegotiationError(ProtocolError):
    """What the peer asks for or offers is not acceptable here: no proposal, no traffic selector, another group."""


class AuthenticationError(ProtocolError):
    """The peer did not prove the identity that it must have."""


class DroppedError(ProtocolError):
    """A packet is dropped; it is counted, and nothing else comes of it.

    Attributes:
        counter: name of :data:`ipsecbench.esp.accounting.COUNTERS` that it counts for.
    """

    def __init__(self, counter: str, message: str) -> None:
        super().__init__(message)
        self.counter = counter


class AgentError(IpsecbenchError):
    """The measuring agent is missing, died, or answered something that is not the protocol."""


class AgentGoneError(AgentError):
    """The agent's process ended, so that an order has no answer.

    Attributes:
        status: its exit status, negative for a signal; None where it only closed its output.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class UnsupportedError(AgentError):
    """The library on this box has no such algorithm; the message says which library and why."""


class RemoteError(IpsecbenchError):
    """Another box cannot be reached, or does not do its part; the message begins with its name."""


class ConnectionLostError(RemoteError):
    """There is no connection to another box: it never came about, or was lost and did not come back in time."""


class DataPlaneError(IpsecbenchError):
    """A data plane cannot be had on this box, died, or refused an SA or a policy; the message says why."""


class ProviderError(IpsecbenchError):
    """A cryptographic library raised or returned a failure."""


class RejectedError(ProviderError):
    """The input is forged, damaged or malformed: a tag, signature or public value did not pass its check.

    Protocol stacks drop such input; they must not treat it as a fault of the library.
    """


class CorrectnessError(IpsecbenchError):
    """An implementation gave a wrong answer to a known-answer test (exit code 5)."""

    exit_code = 5


class MeasurementError(IpsecbenchError):
    """Nothing usable could be measured."""


class UnstableError(MeasurementError):
    """Measured, but not to the precision that was asked for (exit code 4)."""

    exit_code = 4


class DatasetError(IpsecbenchError):
    """A dataset is damaged, of a newer schema, or not a dataset; the message names the field."""


class LaboratoryError(IpsecbenchError):
    """A network namespace, a peer or a capture could not be set up, or did not do its part in time."""


class PolicyError(IpsecbenchError):
    """No parameter set meets the policy and the requirements (exit code 3)."""

    exit_code = 3


class RefusedError(PolicyError):
    """A configuration for some product cannot or must not be written (exit code 3).

    Attributes:
        reasons: why, one line each; never empty.
    """

    def __init__(self, product: str, reasons: tuple[str, ...]) -> None:
        super().__init__(f"no configuration for {product}: {'; '.join(reasons)}")
        self.reasons = reasons
