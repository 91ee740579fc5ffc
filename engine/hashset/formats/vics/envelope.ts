import type { SetHead } from '../set-head.ts';

/** Printed wherever the format is named: VICS is shared by Project VIC under agreement only, and what is read here was learnt from public code. */
export const VICS_CLAIM = 'VICS-compatible, not certified';

/**
 * The two envelopes seen in public exporters and importers: 1.0 to 1.3 put the URL under `odata.metadata`, 2.0 under `@odata.context`.
 * Both are read alike; the URL alone says version, country and kind.
 */
export const CONTEXT_KEY = { before20: 'odata.metadata', since20: '@odata.context' } as const;

/** Such as `.../ProjectVic/DataModels/1.3.xml#Media` or `.../ProjectVic/DataModels/2.0.xml/US/$metadata#Cases`. */
const CONTEXT_URL =
  /(?:projectvic|vicsdatamodel)[^"#]*?datamodels(?:\\?\/)(\d{1,3}(?:\.\d{1,3}){0,2})\.xml(?:\\?\/)?([a-z]{2,20})?[^"#]*(?:#(cases|media))?/i;
/** An OData context that names the data model, or the data model's path anywhere: other documents of Project VIC (its ontology) name it too. */
const ENVELOPE =
  /"@?odata\.(?:metadata|context)"\s*:\s*"[^"]*(?:projectvic|vicsdatamodel)|(?:projectvic|vicsdatamodel)\\?\/datamodels/i;

/** Scheme of the category codes by the country of a 2.0 URL. CUSTOM, Default and 1.x name none. */
const SCHEME_OF_COUNTRY: Readonly<Record<string, string>> = { us: 'vic-us', uk: 'caid-uk' };
/** How our own writer names a scheme that the URL cannot. */
const OWN_SCHEME = /"@homeward\.categoryScheme"\s*:\s*"([a-z0-9-]{1,60})"/;
const NO_COUNTRY = new Set(['default', 'custom']);

/** True when the head of a JSON file names the VICS data model; not the exact URL, since countries, versions and exporters vary. */
export function startsAsVics(head: string): boolean {
  return ENVELOPE.test(head);
}

/** What the head of a VICS document says, as far as it can be made out: an URL of an unknown shape is tolerated, since exporters vary. */
export function describeVics(head: string): SetHead {
  const [, version, country, kind] = CONTEXT_URL.exec(head) ?? [];
  return {
    format: 'vics',
    formatVersion: version ?? null,
    categoryScheme: OWN_SCHEME.exec(head)?.[1] ?? schemeOf(country?.toLowerCase()),
    documentKind: kind === undefined ? kindByContent(head) : kind.toLowerCase() === 'cases' ? 'cases' : 'media',
  };
}

function schemeOf(country: string | undefined): string {
  if (country === undefined || NO_COUNTRY.has(country)) return 'unspecified';
  return SCHEME_OF_COUNTRY[country] ?? `vic-${country}`;
}

const kindByContent = (head: string): 'media' | 'cases' =>
  /"(?:CaseID|CaseNumber|TotalMediaFiles)"\s*:/.test(head) ? 'cases' : 'media';

/** The URL of a 2.0 document of media whose codes are of `categoryScheme`. */
export function contextUrl(categoryScheme: string): string {
  const country = Object.entries(SCHEME_OF_COUNTRY).find(([, scheme]) => scheme === categoryScheme)?.[0];
  const other = /^vic-([a-z]{2,20})$/.exec(categoryScheme)?.[1];
  const segment = (country ?? other)?.toUpperCase() ?? 'Default';
  return `http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/${segment}/$metadata#Media`;
}
