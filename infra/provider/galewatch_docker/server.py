"""The process that Terraform starts: the handshake on standard output, then the protocol over a local socket.

`tf` has a server of its own; this one differs in what it does on an interrupt. There, a stop ends the server
at once and with it a container half made; here it ends the waits, and the server only when Terraform says so.
"""

import base64
import datetime as dt
import os
import signal
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tf.gen import grpc_controller_pb2, grpc_controller_pb2_grpc, grpc_stdio_pb2_grpc, tfplugin_pb2_grpc

from galewatch_docker.servicer import Servicer

__all__ = ["COOKIE", "serve"]

COOKIE = ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
"""What Terraform sets in the environment of a provider that it starts (go-plugin's handshake)."""

# Terraform works on ten resources at a time unless -parallelism says more.
_THREADS = 64
_LOOK_EVERY = 0.2


class _Controller(grpc_controller_pb2_grpc.GRPCControllerServicer):  # type: ignore[misc]  # tf carries no types
    """go-plugin's own service: it tells the process to end."""

    def __init__(self) -> None:
        self.ended = threading.Event()

    def Shutdown(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        self.ended.set()
        return grpc_controller_pb2.Empty()


class _Stdio(grpc_stdio_pb2_grpc.GRPCStdioServicer):  # type: ignore[misc]  # tf carries no types
    """go-plugin's stream of what a plugin prints: nothing."""

    def StreamStdio(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return iter(())


def serve() -> None:
    """Serve Terraform until it says that it is done, or is gone."""
    servicer, controller = Servicer(), _Controller()
    # Ctrl-C and a supervisor's SIGTERM reach the whole process group. Terraform then calls StopProvider and
    # waits for what is under way; dying at once would leave containers that no state knows of.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: servicer.interrupt())
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=unlimited)
    tfplugin_pb2_grpc.add_ProviderServicer_to_server(servicer, server)
    grpc_controller_pb2_grpc.add_GRPCControllerServicer_to_server(controller, server)
    grpc_stdio_pb2_grpc.add_GRPCStdioServicer_to_server(_Stdio(), server)
    key, certificate = _self_signed()
    with tempfile.TemporaryDirectory(prefix="galewatch-docker-socket-") as folder:
        socket = f"{folder}/s"
        server.add_secure_port(f"unix:{socket}", grpc.ssl_server_credentials([(key, _pem(certificate))]))
        server.start()
        der = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode().rstrip("=")
        sys.stdout.write(f"1|6|unix|{socket}|grpc|{der}\n")
        sys.stdout.flush()
        # From here on nothing may be printed there.
        sys.stdout = sys.stderr
        terraform = os.getppid()
        while not controller.ended.wait(_LOOK_EVERY):
            if os.getppid() != terraform:  # it was killed: nobody is left to answer
                break
        server.stop(grace=0.2).wait()
    # Threads may still wait for the engine; nobody waits for them any more.
    os._exit(0)


def _self_signed() -> tuple[bytes, x509.Certificate]:
    """Make a key and a certificate for this one process; they live in its memory only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return secret, certificate


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
