import { html } from './markup.ts';

/**
 * The page's style, our own constant text. Light and dark follow the reader's system: most readers work at night on large screens, so the dark side is
 * a warm dark grey with text well below white. Colours of standings differ in lightness as well as in hue, for colour-blind readers.
 */
export const STYLE_ELEMENT = html`<style>
:root{color-scheme:light dark;--paper:#f7f6f3;--card:#fffefb;--line:#dcd9d2;--text:#23272b;--soft:#646a70;--known:#a85b12;--near:#d39a3f;--unseen:#2f6f9f;
--done:#4c7d78;--partial:#8d9a56;--rejected:#85708f;--not-examined:#a5a8aa;--failed:#b3423a;--plain:#5d7f93;--alarm:#b3261e;--alarm-paper:#fbeceb}
@media (prefers-color-scheme:dark){:root{--paper:#17191b;--card:#1e2124;--line:#34383c;--text:#d3d0ca;--soft:#979a9b;--known:#dd9145;--near:#a77f3d;--unseen:#6fa8d0;
--done:#6f9f99;--partial:#9aa765;--rejected:#98829f;--not-examined:#666b6f;--failed:#d7736a;--plain:#7c9db0;--alarm:#f08a80;--alarm-paper:#33201f}}
*{box-sizing:border-box}
html{font:15px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,"DejaVu Sans",sans-serif;background:var(--paper);color:var(--text);-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:1240px;padding:28px 28px 64px;font-variant-numeric:tabular-nums}
header{border-bottom:1px solid var(--line);padding-bottom:18px;margin-bottom:22px}
h1{font-size:1.02rem;font-weight:600;letter-spacing:.02em;color:var(--soft);margin:0 0 12px}
h2{font-size:1.16rem;font-weight:600;margin:40px 0 10px}
main>section:first-child h2{margin-top:18px}
h3{font-size:1rem;font-weight:600;margin:0 0 6px}
p{margin:0 0 10px;max-width:96ch}
a{color:inherit;text-underline-offset:3px}
.lead{font-size:1.62rem;line-height:1.3;font-weight:500;max-width:none;margin:0 0 8px;letter-spacing:-.005em}
.soft,caption,.note{color:var(--soft)}
.note{font-size:.92rem}
.facts{display:flex;flex-wrap:wrap;gap:4px 30px;margin:14px 0 0;padding:0}
.facts div{min-width:0}
.facts dt,.grid dt{color:var(--soft);font-size:.84rem}
.facts dd,.grid dd{margin:0;overflow-wrap:anywhere}
nav{display:flex;flex-wrap:wrap;gap:0 18px;margin:0 0 6px;font-size:.92rem;color:var(--soft)}
nav a{color:inherit;text-underline-offset:3px;text-decoration-color:var(--line)}
.banner{border:1px solid var(--line);border-left:4px solid var(--near);background:var(--card);padding:10px 14px;margin:0 0 10px;max-width:none}
.banner.alarm{border-color:var(--alarm);background:var(--alarm-paper);color:var(--alarm)}
.banner strong{font-weight:650}
.alarm-text{color:var(--alarm);font-weight:600}
.card{background:var(--card);border:1px solid var(--line);border-radius:4px;padding:18px 20px;margin:0 0 16px}
.card.known{border-left:4px solid var(--known)}.card.near{border-left:4px solid var(--near)}.card.unseen{border-left:4px solid var(--unseen)}
.figure{font-size:1.5rem;font-weight:600;line-height:1.2;margin:0 0 4px}
.figure span{font-size:1rem;font-weight:400;color:var(--soft)}
.pair{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:16px}
.pair{align-items:start}.pair .card{margin:0 0 16px}
.chart-card{display:grid;grid-template-columns:minmax(0,1.15fr) minmax(0,1fr);gap:12px 34px;align-items:start}
.chart-card h3,.chart-card>p{grid-column:1/-1}
.chart{display:block;width:100%;height:auto;max-width:640px;overflow:visible}
.chart text{font-size:12.5px;fill:var(--text)}.chart .axis{fill:var(--soft)}
.chart .base{stroke:var(--line)}.chart .mark{stroke:var(--soft);stroke-dasharray:3 3}
.tone-known{fill:var(--known)}.tone-near{fill:var(--near)}.tone-unseen{fill:var(--unseen)}.tone-done{fill:var(--done)}.tone-partial{fill:var(--partial)}
.tone-rejected{fill:var(--rejected)}.tone-notExamined{fill:var(--not-examined)}.tone-failed{fill:var(--failed)}.tone-plain{fill:var(--plain)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem}
caption{text-align:left;font-size:.86rem;padding:0 0 6px}
th,td{text-align:left;vertical-align:top;padding:5px 14px 5px 0;border-bottom:1px solid var(--line);overflow-wrap:break-word}
.mono{overflow-wrap:anywhere}
th{font-weight:500;color:var(--soft);font-size:.86rem;overflow-wrap:normal}
tbody tr:last-child td,tbody tr:last-child th{border-bottom:0}
td.n,th.n{text-align:right;white-space:nowrap;padding-right:12px}.items td.n{padding-left:4px}
tbody th:has(.key){white-space:nowrap}
tbody th{color:inherit;font-size:inherit;font-weight:400}
.key{flex:none;display:inline-block;width:.72em;height:.72em;border-radius:1px;margin-right:.5em}
.key-known{background:var(--known)}.key-near{background:var(--near)}.key-unseen{background:var(--unseen)}.key-done{background:var(--done)}.key-partial{background:var(--partial)}
.key-rejected{background:var(--rejected)}.key-notExamined{background:var(--not-examined)}.key-failed{background:var(--failed)}
.mono{font-family:ui-monospace,"SF Mono","Cascadia Mono",Consolas,"DejaVu Sans Mono",monospace;font-size:.88em}
.items td{font-size:.88rem}.items tbody tr:nth-child(even){background:color-mix(in srgb,var(--card) 60%,transparent)}
.items .path{min-width:15em}.items .evidence{min-width:12em}.items td:nth-child(3){white-space:nowrap}.items .match+.match{margin-top:4px}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(235px,1fr));gap:12px 26px;margin:0}
ul{margin:0;padding-left:1.15em;max-width:96ch}.card p:last-child{margin-bottom:0}table+.note{margin:8px 0 0}li{margin-bottom:5px}
footer{margin-top:44px;border-top:1px solid var(--line);padding-top:14px;font-size:.88rem;color:var(--soft)}
@media (max-width:820px){body{padding:18px 14px 48px}.pair,.chart-card{grid-template-columns:minmax(0,1fr)}.lead{font-size:1.3rem}}
@media print{:root{--paper:#fff;--card:#fff;--line:#bbb;--text:#000;--soft:#444;--known:#8a4a0c;--near:#d39a3f;--unseen:#2f6f9f;--done:#4c7d78;--partial:#8d9a56;
--rejected:#85708f;--not-examined:#a5a8aa;--failed:#b3423a;--plain:#5d7f93;--alarm:#b3261e;--alarm-paper:#fff}
@page{margin:13mm}html{font-size:11px}body{max-width:none;padding:0}nav{display:none}.pair{grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:10px 18px}.chart-card{grid-template-columns:minmax(0,1.3fr) minmax(0,1fr);gap:10px 18px}
.pair .card,.card{margin:0 0 10px;padding:10px 12px}h2{margin-top:18px}.card,tr,svg,li,p{break-inside:avoid}h2,h3,caption,h2+p,h2+p+p{break-after:avoid}.scroll{overflow:visible}
thead{break-after:avoid}tbody tr:first-child{break-before:avoid}th,td{padding:3px 8px 3px 0}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
</style>`;

/** What stands between the tags: a content security policy names its digest. */
export const STYLE_TEXT = STYLE_ELEMENT.toString().slice('<style>'.length, -'</style>'.length);
