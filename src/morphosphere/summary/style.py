"""How the pages look, by day and by night."""

STYLE = """\
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --quiet: #667; }
@media (prefers-color-scheme: dark) { :root { --quiet: #aab; } }
body {
  font: 15px/1.5 system-ui, sans-serif;
  max-width: 82rem;
  margin: 1.5rem auto;
  padding: 0 1.25rem 3rem;
}
h1 { font-size: 1.5rem; margin: 0 0 .75rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
p { max-width: 50rem; margin: .4rem 0; }
.quiet { color: var(--quiet); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .4rem 0 .8rem; font-variant-numeric: tabular-nums; }
th, td {
  text-align: left;
  padding: .2rem .9rem .2rem 0;
  border-bottom: 1px solid var(--line);
  vertical-align: top;
}
th { font-weight: 600; white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
code, pre { font: 12.5px/1.45 ui-monospace, monospace; }
td code { overflow-wrap: anywhere; }
pre {
  background: var(--soft);
  padding: .6rem .8rem;
  border-radius: 4px;
  overflow-x: auto;
  margin: .3rem 0 .8rem;
}
details {
  border: 1px solid var(--line);
  border-radius: 4px;
  padding: .3rem .8rem;
  margin: .45rem 0;
}
details details { border-width: 0 0 0 2px; border-radius: 0; }
summary { cursor: pointer; font-weight: 600; }
summary .quiet { font-weight: 400; }
.remarks { border-left: 4px solid #c80; padding: .1rem 1rem; background: var(--soft); }
ul { margin: .3rem 0; padding-left: 1.2rem; }
"""
