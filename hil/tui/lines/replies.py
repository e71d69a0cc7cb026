"""What the engine did, in words for the foot of the screen."""

from hil.tui.charts.units import duration
from hil.tui.feed import Reply

__all__ = ["words_of"]


def words_of(reply: Reply) -> str:
    """Return one sentence about a command that worked."""
    args, values = reply.args, reply.values
    if sentence := values.get("sentence"):
        return str(sentence)
    path = values.get("path") or ""
    match reply.verb:
        case "record":
            return f"recording into {path}" if path else "recording"
        case "record_stop":
            return f"recording closed: {path}" if path else "recording closed"
        case "mark":
            return f"mark set: {args.get('text')}"
        case "glitch":
            return f"glitch: the last seconds and the next ones go into {path}, a scenario follows"
        case "watch":
            text = args.get("text")
            return f"each firing of {text} is kept as a recording" if text else "firings are kept no more"
        case "label":
            return f"label {args.get('text')} {'starts' if values.get('active') else 'ends'}"
        case "pause":
            return "paused" if values.get("paused", args.get("paused")) else "the replay goes on"
        case "seek":
            return f"at {duration(float(values.get('position_s', args.get('to_s')) or 0.0))}"
        case "speed":
            speed = args.get("speed")
            return "as fast as it goes" if speed is None else f"{speed:g} times real time"
        case "loop":
            return "begins again at the end" if args.get("on") else "stops at the end"
        case "step":
            what = "window" if "windows" in args else "sample"
            return f"one {what} {'on' if int(args.get('windows') or args.get('samples') or 0) > 0 else 'back'}"
        case "range":
            begin, end = args.get("from_s"), args.get("to_s")
            if begin is None or end is None:
                return "plays all of it"
            return f"plays from {duration(float(begin))} to {duration(float(end))} again and again"
        case verb:
            return f"{verb.replace('_', ' ')}: done"
