import { createHash } from 'node:crypto';
import { Type } from 'typebox';
import { html, type Markup } from '../report/markup.ts';
import { answers, type TypedApp } from './typed-app.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const PAGE_TYPE = 'text/html; charset=utf-8';

const STYLE_ELEMENT = html`<style>
:root{color-scheme:light dark}
html{font:15px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
body{margin:0 auto;max-width:1000px;padding:28px}
h2{font-size:1.05rem;margin:32px 0 8px;text-transform:capitalize}
section{border-top:1px solid #8885;padding:12px 0}
h3{font:600 .95rem ui-monospace,Menlo,Consolas,monospace;margin:0 0 4px}
p{margin:0 0 6px;max-width:80ch}
pre{overflow:auto;background:#8881;padding:10px;font-size:.82rem;border-radius:4px}
summary{cursor:pointer}
</style>`;
const STYLE = String(STYLE_ELEMENT).slice('<style>'.length, -'</style>'.length);
const STYLE_DIGEST = createHash('sha256').update(STYLE).digest('base64');
const PAGE_POLICY = `default-src 'none'; img-src 'none'; media-src 'none'; style-src 'sha256-${STYLE_DIGEST}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;

/** What is shown of an operation of the description. */
interface Described {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: unknown;
  readonly requestBody?: unknown;
  readonly responses?: unknown;
}

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description: string;
  readonly schemas: string;
}

/** The description of the API for machines, and the same as a page for people, which loads nothing. */
export function openApiRoutes(app: TypedApp): void {
  let text: string | null = null;
  let page: string | null = null;
  const plain = { serializerCompiler: () => String };
  app.get(
    '/openapi.json',
    {
      ...plain,
      config: { policy: 'open', textTypes: [JSON_TYPE] },
      schema: { summary: 'This description', tags: ['operation'], response: answers({ 200: Type.String() }) },
    },
    async (_request, reply) => {
      text ??= JSON.stringify(app.swagger());
      return await reply.type(JSON_TYPE).send(text);
    },
  );
  app.get(
    '/docs',
    {
      ...plain,
      config: { policy: 'open', textTypes: [PAGE_TYPE] },
      schema: { summary: 'This description as a page', tags: ['operation'], response: answers({ 200: Type.String() }) },
    },
    async (_request, reply) => {
      page ??= `<!doctype html>\n${pageOf(operationsOf(app.swagger()))}`;
      return await reply.header('content-security-policy', PAGE_POLICY).type(PAGE_TYPE).send(page);
    },
  );
}

function operationsOf(document: ReturnType<TypedApp['swagger']>): Operation[] {
  if (typeof document === 'string') return [];
  const { paths } = document;
  return Object.entries(paths ?? {}).flatMap(([path, methods]) =>
    Object.entries<Described>(methods ?? {}).flatMap(([method, operation]) => {
      const { summary = '', description = '', tags, parameters, requestBody, responses } = operation;
      const schemas = JSON.stringify({ parameters, requestBody, responses }, null, 1);
      return [{ method: method.toUpperCase(), path, tag: tags?.[0] ?? 'other', summary, description, schemas }];
    }),
  );
}

function pageOf(operations: readonly Operation[]): Markup {
  const tags = [...new Set(operations.map((one) => one.tag))];
  return html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Homeward API</title>${STYLE_ELEMENT}</head>
<body><h1>Homeward API</h1><p>Results only: no answer holds imagery. The same for machines: <a href="/openapi.json">/openapi.json</a></p>
${tags.map((tag) => html`<h2>${tag}</h2>${operations.filter((one) => one.tag === tag).map(sectionOf)}`)}
</body></html>`;
}

function sectionOf({ method, path, summary, description, schemas }: Operation): Markup {
  return html`<section><h3>${method} ${path}</h3><p>${summary}</p>${description === '' ? null : html`<p>${description}</p>`}
<details><summary>Parameters, body and answers</summary><pre>${schemas}</pre></details></section>`;
}
