"""An RTSP server on this machine alone, for the tests: run by the system's Python, which has GStreamer.

    python3 rtspserver.py PORT NAME=PIPELINE...

serves each PIPELINE, which ends in a payloader ``pay0``, as ``rtsp://127.0.0.1:PORT/NAME``. Says ``ready``,
then obeys lines: ``ELEMENT PROPERTY VALUE`` sets a property while the stream goes on. ``--check`` only says
whether it could.
"""

from __future__ import annotations

import sys
import threading

import gi
from gi.repository import GLib, Gst, GstRtspServer

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")

NEEDED = ("filesrc", "qtdemux", "h264parse", "rtph264pay", "x264enc", "videotestsrc", "videoconvert")


def main(arguments: list[str]) -> int:
    """Serve until the process is ended."""
    Gst.init(None)
    missing = [name for name in NEEDED if Gst.ElementFactory.find(name) is None]
    if missing:
        say(f"GStreamer lacks {', '.join(missing)}")
        return 1
    if arguments == ["--check"]:
        return 0
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(arguments[0])
    served: list[Gst.Element] = []
    for argument in arguments[1:]:
        name, pipeline = argument.split("=", 1)
        factory = GstRtspServer.RTSPMediaFactory.new()
        factory.set_launch(f"( {pipeline} )")
        factory.connect("media-configure", lambda _factory, media: served.append(media.get_element()))
        server.get_mount_points().add_factory(f"/{name}", factory)
    if server.attach(None) == 0:
        say(f"port {arguments[0]} is taken")
        return 1
    threading.Thread(target=obey, args=(served,), daemon=True).start()
    say("ready")
    GLib.MainLoop().run()
    return 0


def say(text: str) -> None:
    """A line for whoever started this."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def obey(served: list[Gst.Element]) -> None:
    """Set what the lines on standard input say, on whatever has that element."""
    for line in sys.stdin:
        element, name, value = line.split()
        for bin_ in served:
            found = bin_.get_by_name(element)
            if found is not None:
                Gst.util_set_object_arg(found, name, value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
