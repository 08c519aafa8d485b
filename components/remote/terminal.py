"""A command that asks for a password on a terminal and takes it nowhere else, as doas does."""

from __future__ import annotations

import re
import time

from .ssh import PhoneError, Result, Session

# The last line, which has no end: sudo's lecture has the word "password" in it too.
_PROMPT = re.compile(rb"(?i)password[^\r\n]*:\s*\Z")
TERMINAL_SECONDS = 30.0


def answer(
    session: Session, command: str, secret: str, seconds: float = TERMINAL_SECONDS
) -> Result:
    """Runs ``command`` on a terminal and gives ``secret`` once, if and when it is asked for.

    Who asks a second time has refused the first, and is not tried again: three refusals may lock
    an account. ``stdout`` holds both streams as the terminal had them, without the secret.

    Raises:
        PhoneError: the command has not ended after ``seconds``, or the link broke.
    """
    # The terminal must not show what is typed, even if the command were slow to ask for that.
    channel = session.open_channel(f"stty -echo; export LC_ALL=C; {command}", terminal=True)
    deadline = time.monotonic() + seconds
    heard, given = bytearray(), False
    try:
        while not (channel.exit_status_ready() and channel.eof_received):
            channel.settimeout(max(deadline - time.monotonic(), 0.01))
            block = channel.recv(4096)
            if not block:
                break
            heard += block
            if _PROMPT.search(heard):
                if given:
                    return _result(1, heard, secret)
                channel.sendall(f"{secret}\n".encode())
                given = True
                heard.clear()
        return _result(channel.recv_exit_status(), heard, secret)
    except TimeoutError:
        raise PhoneError(
            f"{session.host.name}: a command that asks for the password did not end within "
            f"{seconds:.0f} s"
        ) from None
    except OSError as error:
        raise PhoneError(f"{session.host.name}: the connection broke: {error}") from None
    finally:
        channel.close()


def _result(status: int, heard: bytearray, secret: str) -> Result:
    text = heard.decode("utf-8", "replace").replace("\r\n", "\n").strip()
    if secret:
        text = text.replace(secret, "[secret]")
    return Result(status=status, stdout=text, stderr="")
