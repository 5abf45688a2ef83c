"""An RTSP server on loopback for the tests, run by the system's Python, which has GStreamer.

    python3 rtsp_server.py PORT NAME=PIPELINE...

serves each PIPELINE, which ends in a payloader ``pay0``, as ``rtsp://127.0.0.1:PORT/NAME``. Prints ``ready``,
then reads commands from standard input: ``ELEMENT PROPERTY VALUE`` sets a property of a running stream.
``--check`` only tests whether GStreamer has all plugins.
"""

from __future__ import annotations

import sys
import threading

import gi

# Before the import, which otherwise prints a warning.
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")

from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

NEEDED = ("filesrc", "qtdemux", "h264parse", "rtph264pay", "x264enc", "videotestsrc", "videoconvert")


def main(arguments: list[str]) -> int:
    """Serve until the process is killed."""
    Gst.init(None)
    missing = [name for name in NEEDED if Gst.ElementFactory.find(name) is None]
    if missing:
        print_line(f"GStreamer lacks {', '.join(missing)}")
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
        print_line(f"port {arguments[0]} is in use")
        return 1
    threading.Thread(target=run_commands, args=(served,), daemon=True).start()
    print_line("ready")
    GLib.MainLoop().run()
    return 0


def print_line(text: str) -> None:
    """Print a line for the parent process."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run_commands(served: list[Gst.Element]) -> None:
    """Apply the commands on standard input to every stream that has the element."""
    for line in sys.stdin:
        element_name, name, value = line.split()
        for bin_ in served:
            element = bin_.get_by_name(element_name)
            if element is not None:
                Gst.util_set_object_arg(element, name, value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
