import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { html, Markup } from './markup.ts';
import { hostileText } from './test-canaries.ts';

describe('the template', () => {
  it('escapes any text so that it ends neither its element nor its attribute', () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const made = html`<p title="${text}">${text}</p>`.toString();
        const parts = /^<p title="([^"<>]*)">([^"<>]*)<\/p>$/.exec(made);
        assert.ok(parts !== null, made);
        assert.equal(decode(parts[1] ?? ''), text);
        assert.equal(decode(parts[2] ?? ''), text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('nests what it made itself without escaping it twice', () => {
    assert.equal(
      html`<ul>${['a&b', 'c'].map((text) => html`<li>${text}</li>`)}</ul>`.toString(),
      '<ul><li>a&amp;b</li><li>c</li></ul>',
    );
  });

  it('shows nothing for null, undefined and false', () => {
    assert.equal(html`${null}${undefined}${false}${0}`.toString(), '0');
  });

  it('refuses a string list that is no template literal', () => {
    const forged = Object.assign(['<script>'], { raw: ['<script>'] });
    assert.throws(() => new Markup(forged, []), /expected a template literal/);
  });
});

function decode(text: string): string {
  const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };
  return text.replace(/&(?:#(\d+)|(\w+));/g, (whole, code: string | undefined, name: string | undefined) =>
    code === undefined ? (named[name ?? ''] ?? whole) : String.fromCharCode(Number(code)),
  );
}
