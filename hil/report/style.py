"""How a page looks: one style sheet for screen, dark mode and print.

Rule of this room: nothing is fetched; colours are variables, so that plots and tables change together. On paper it is
always light, plots keep whole and tables may break between lines.
"""

__all__ = ["CSS", "SCRIPT"]

_LIGHT = (
    "--ink:#1b1f24;--soft:#4b5563;--faint:#7b8494;--grid:#e3e7ee;--paper:#ffffff;--raised:#f6f8fb;--line:#d5dbe5;"
    "--bad:#b42318;--warn:#9a6700;--good:#1a7f37;--link:#0b62a4;"
    "--s0:#0b62a4;--s1:#c8442b;--s2:#23855a;--s3:#a26a00;--s4:#7343a6;--s5:#0d8389;--s6:#b23a7f;--s7:#5d6470;"
)
_DARK = (
    "--ink:#e7ebf1;--soft:#b3bcca;--faint:#8b95a5;--grid:#2c343f;--paper:#11151a;--raised:#1a2027;--line:#333c48;"
    "--bad:#ff8a7a;--warn:#f0c053;--good:#6fd08c;--link:#7cbcff;"
    "--s0:#6cb2f5;--s1:#ff8b73;--s2:#6fd3a0;--s3:#f0bd57;--s4:#c4a0f5;--s5:#62d2d6;--s6:#f598c6;--s7:#aab3c2;"
)

CSS = (
    f":root{{color-scheme:light;{_LIGHT}}}"
    f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{_DARK}}}}}"
    f":root[data-theme=dark]{{color-scheme:dark;{_DARK}}}"
    """
*{box-sizing:border-box}
body{margin:0 auto;max-width:1280px;padding:24px 28px 48px;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
h1{font-size:26px;line-height:1.2;margin:0 0 6px;overflow-wrap:anywhere}
h2{font-size:19px;margin:36px 0 10px;padding-top:14px;border-top:2px solid var(--line)}
h3{font-size:15px;margin:22px 0 6px}
p{margin:6px 0}.soft,figcaption small,.facts{color:var(--soft)}
.facts{margin:0 0 4px}.facts b{color:var(--ink);font-weight:600}
.findings{list-style:none;padding:0;margin:14px 0;border:1px solid var(--line);border-radius:8px;
background:var(--raised)}
.findings li{padding:6px 12px 6px 34px;position:relative;border-bottom:1px solid var(--line)}
.findings li:last-child{border:0}.findings li::before{position:absolute;left:12px;font-weight:700}
.findings .bad::before{content:"✖";color:var(--bad)}.findings .warn::before{content:"▲";color:var(--warn)}
.findings .note::before{content:"·";color:var(--soft)}.findings .good::before{content:"✔";color:var(--good)}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,480px),1fr));gap:14px 18px;margin:12px 0}
figure{margin:0;break-inside:avoid;min-width:0}figure svg{width:100%;height:auto;display:block}
figure.small{max-width:460px}figure.large{max-width:820px;margin-bottom:16px}
svg text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
figcaption{font-weight:600;font-size:14px;margin-bottom:2px}figcaption small{font-weight:400}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13px;line-height:1.35;margin:4px 0 10px}
th,td{padding:4px 8px;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
td.u{white-space:nowrap}thead th{border-bottom:2px solid var(--line);font-weight:600;white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td small{display:block;color:var(--soft);font-size:11.5px}td.n small{white-space:nowrap}
tbody th{font-weight:600;white-space:nowrap}tbody th small{display:block;font-weight:400;white-space:normal;
color:var(--soft);min-width:150px}
td.unknown{color:var(--faint);font-style:italic}
td.how{min-width:190px;color:var(--soft);font-size:12px}
.bad{--mark:var(--bad)}.tag{display:inline-block;border-radius:4px;padding:0 6px;font-size:12px;font-weight:600;
border:1px solid currentColor;white-space:nowrap}
.tag.bad,.tag.worse,.tag.over{color:var(--bad)}.tag.warn,.tag.unsure,.tag.beyond{color:var(--warn)}
.tag.good,.tag.better,.tag.meets{color:var(--good)}.tag.same{color:var(--soft)}.tag.different{color:var(--link)}
.unknowns{margin:6px 0;padding-left:18px;font-size:13px;color:var(--soft)}.unknowns b{color:var(--ink);font-weight:600}
nav{font-size:13px;margin:10px 0}nav a{color:var(--link);margin-right:14px}a{color:var(--link)}
details.scenario{border-top:2px solid var(--line);margin-top:18px}details.scenario>summary{cursor:pointer}
summary h2{display:inline;border:0;margin:0;padding:0;line-height:2.2}
summary{color:var(--soft)}summary h2{color:var(--ink)}
details>summary{font-size:13px}h1.bad{color:var(--bad)}h1.warn{color:var(--warn)}h1.good{color:var(--good)}
code{font:12.5px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--raised);padding:2px 6px;
border-radius:4px;overflow-wrap:anywhere}tbody th.wide{white-space:normal;min-width:220px}.made{font-size:12px}
table.confusion{width:auto}table.confusion td{text-align:right;min-width:38px;font-variant-numeric:tabular-nums}
.books{font-size:13px;margin:6px 0 2px}.bar{display:flex;height:12px;max-width:820px;border-radius:3px;overflow:hidden;
background:var(--raised)}.bar i{display:block}.bar .good{background:var(--good)}.bar .warn{background:var(--warn)}
.bar .bad{background:var(--bad)}.bar .same{background:var(--faint)}
@media(max-width:640px){body{padding:16px 14px 32px}figure.large{overflow-x:auto}figure.large svg{min-width:680px}}
footer{margin-top:36px;border-top:1px solid var(--line);padding-top:10px;font-size:12px;color:var(--soft)}
button{float:right;font:inherit;font-size:12px;color:var(--soft);background:none;border:1px solid var(--line);
border-radius:6px;padding:2px 10px;cursor:pointer}
@media print{"""
    f":root,:root[data-theme=dark]{{color-scheme:light;{_LIGHT}}}"
    """
body{max-width:none;padding:0;font-size:10.5pt}button,nav{display:none}h2{break-after:avoid}h3{break-after:avoid}
.plots{grid-template-columns:1fr 1fr}table{font-size:8pt}td small,tbody th small,td.how{font-size:7pt}
thead th{white-space:normal}td.how{min-width:120px}
tr{break-inside:avoid}.scroll{overflow:visible}thead{display:table-header-group}@page{margin:14mm}}
"""
)
"""The style sheet."""

SCRIPT = """
const root=document.documentElement,asked=new URLSearchParams(location.search);
for(const theme of ["dark","light"])if(asked.has(theme))root.dataset.theme=theme;
function turn(){const dark=getComputedStyle(root).colorScheme==="dark";root.dataset.theme=dark?"light":"dark"}
"""
"""Turns dark and light: by a button, or by `?dark` and `?light` after the address."""
