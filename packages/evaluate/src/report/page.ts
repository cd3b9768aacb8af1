/**
 * The frame of every HTML page that Quickcolumn writes: one self-contained file, no scripts, no network; it follows the
 * reader's light or dark setting and prints. What goes into sections must be escaped already (html.ts).
 */
import { escapeText } from './html.js';

export interface PageInput {
  readonly title: string;
  /** One line under the title: model, data, date. */
  readonly subtitle?: string | undefined;
  /** HTML, as `section` makes it; empty ones are left out. */
  readonly sections: readonly string[];
}

/** The whole page; title and subtitle are escaped here. */
export function buildPage({ title, subtitle, sections }: PageInput): string {
  const line = subtitle === undefined ? '' : `<p class="subtitle">${escapeText(subtitle)}</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<style>${style}</style>
</head>
<body>
<p class="banner" role="note"><strong>Research use only, not a medical device.</strong> Not for diagnosis or treatment decisions.</p>
<main>
<h1>${escapeText(title)}</h1>
${line}
${sections.filter((part) => part !== '').join('\n')}
</main>
</body>
</html>
`;
}

/** A section of a page. Heading and content are HTML. */
export function section(heading: string, content: string): string {
  return `<section><h2>${heading}</h2>\n${content}</section>`;
}

const style = `
:root { color-scheme: light dark; --ink: #1b2430; --paper: #ffffff; --soft: #f3f5f8; --rule: #d5dbe3; --faint: #5a6675; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaf0; --paper: #14181e; --soft: #1e242c; --rule: #36404c; --faint: #9aa7b6; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
.banner { margin: 0; padding: 10px 24px; background: #8a4b00; color: #ffffff; text-align: center; }
main { max-width: 1240px; margin: 0 auto; padding: 24px; }
h1 { margin: 0 0 4px; font-size: 26px; line-height: 1.25; }
h2 { margin: 36px 0 10px; padding-bottom: 4px; font-size: 18px; border-bottom: 1px solid var(--rule); }
.subtitle, .small, figcaption { color: var(--faint); }
.note { margin: 6px 0 18px; max-width: 900px; font-size: 13px; color: var(--faint); }
.small { font-size: 13px; padding-left: 20px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 10px; text-align: right; white-space: nowrap; }
th.text, td.text { text-align: left; }
thead th { border-bottom: 2px solid var(--rule); font-weight: 600; }
tbody tr.first td { border-top: 1px solid var(--rule); }
tbody tr:hover td { background: var(--soft); }
caption { padding: 6px 10px 6px 0; text-align: left; font-weight: 600; }
td small, th small { display: block; color: var(--faint); font-weight: 400; }
tr.published td { color: var(--faint); font-style: italic; }
tr.published.top td { border-top: 3px double var(--rule); }
.dense { font-size: 12px; }
.dense th, .dense td { padding: 3px 7px; }
.dense th, .dense td.text { white-space: normal; }
.dense thead th { vertical-align: bottom; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; font-size: 13px; }
.facts dt { color: var(--faint); }
.facts dd { margin: 0; }
figure { margin: 16px 0; }
figure img { display: block; max-width: 100%; height: auto; border: 1px solid var(--rule); }
figcaption { margin-top: 6px; font-size: 13px; }
.charts { display: flex; flex-wrap: wrap; gap: 0 24px; align-items: flex-start; }
.chart svg { max-width: 100%; height: auto; }
.key { display: inline-block; margin-right: 16px; }
.key i { display: inline-block; width: 12px; height: 12px; margin-right: 6px; border-radius: 2px; }
pre { overflow-x: auto; padding: 14px; background: var(--soft); border-radius: 6px; font: 12px/1.45 ui-monospace, monospace; }
@media print {
  .banner { color: #000000; background: none; border: 2px solid #000000; }
  figure, tr { break-inside: avoid; }
  h2, caption, thead { break-after: avoid; }
  .scroll { overflow-x: visible; }
  .note, .small, figcaption, .facts { font-size: 11px; }
  table, .dense { font-size: 10px; }
  th, td { padding: 2px 4px; }
}
`;
