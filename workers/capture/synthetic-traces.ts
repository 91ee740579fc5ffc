import type { CaptureMetadata } from '../../schemas/fingerprint.ts';
import { boundedText } from './bounded-text.ts';
import { contentCredentials } from './content-credentials.ts';
import type { ExifTags } from './exif-tags.ts';
import { pngTexts } from './png-text.ts';
import { xmpPacket } from './xmp-packet.ts';

type SyntheticTrace = CaptureMetadata['syntheticTraces'][number];
const MAX_TRACES = 16;
const MAX_DETAIL = 200;
const MAX_EXCERPT = 120;

/** Terms of the IPTC vocabulary http://cv.iptc.org/newscodes/digitalsourcetype/ that say a picture was not, or not only, taken by a camera. */
const SYNTHETIC_SOURCE_TYPES = new Set(
  [
    'trainedAlgorithmicMedia',
    'compositeWithTrainedAlgorithmicMedia',
    'algorithmicMedia',
    'compositeSynthetic',
    'algorithmicallyEnhanced',
    'dataDrivenMedia',
    'virtualRecording',
    'digitalArt',
    'digitalCreation',
    'softwareImage',
  ].map((term) => term.toLowerCase()),
);

/** Keywords of PNG text chunks that only generators write: the Stable Diffusion web UIs, ComfyUI, InvokeAI, Fooocus, and China's AIGC label. */
const GENERATOR_KEYWORDS = new Set([
  'parameters',
  'prompt',
  'workflow',
  'sd-metadata',
  'invokeai_metadata',
  'invokeai_graph',
  'Dream',
  'generation_data',
  'fooocus_scheme',
  'AIGC',
]);

const GENERATOR_NAMES =
  /\b(?:stable[ _-]?diffusion|sdxl|midjourney|dall[·\-\s]?e|firefly|novelai|comfyui|invokeai|fooocus|automatic1111|leonardo\.?ai|ideogram|imagen|gpt-image|flux\.?1|playground ai|nightcafe|bing image creator|made with google ai|meta ai|grok)\b/i;
const GENERATOR_PARAMETERS = /\bSteps: \d{1,4}, (?:Sampler|Size|CFG)/;
const EDITOR_NAMES =
  /\b(?:photoshop|lightroom|gimp|affinity|paint\.net|pixelmator|capture one|darktable|rawtherapee|snapseed|picsart|facetune|faceapp|remini|meitu|beautyplus|vsco|canva|pixlr|luminar|topaz|picasa|acdsee|paintshop|corel|krita|imagemagick|photoscape|fotor|polarr|photodirector|b612|snow)\b/i;

/** Traces that a generator or an editor left in the metadata of a picture, bounded. That there are none proves nothing. Never throws. */
export function syntheticTraces(bytes: Buffer, mediaType: string, exif: ExifTags | undefined): SyntheticTrace[] {
  const traces: SyntheticTrace[] = [];
  const add = (kind: SyntheticTrace['kind'], text: string) => {
    const detail = boundedText(text, MAX_DETAIL);
    if (detail === null || traces.length >= MAX_TRACES) return;
    if (!traces.some((trace) => trace.kind === kind && trace.detail === detail)) traces.push({ kind, detail });
  };
  const judge = (where: string, text: string | null) => {
    if (text === null) return;
    if (GENERATOR_NAMES.test(text) || GENERATOR_PARAMETERS.test(text))
      add('generatorText', `${where}: ${excerpt(text)}`);
    else if (EDITOR_NAMES.test(text)) add('editingSoftware', `${where}: ${excerpt(text)}`);
  };

  const credentials = contentCredentials(bytes, mediaType);
  if (credentials !== undefined)
    add('c2pa', `${credentials.place}${credentials.generator === null ? '' : `, claim by ${credentials.generator}`}`);
  const xmp = xmpPacket(bytes, mediaType);
  for (const term of sourceTypes(xmp)) add('digitalSourceType', `XMP: ${term}`);
  for (const term of sourceTypes(credentials?.text ?? '')) add('digitalSourceType', `C2PA: ${term}`);
  judge('EXIF Software', boundedText(exif?.['Software']?.value));
  judge('XMP CreatorTool', boundedText(/CreatorTool(?:="|>)([^"<]{1,200})/.exec(xmp)?.[1]));
  judge('EXIF UserComment', boundedText(exif?.['UserComment']?.description));
  judge('EXIF ImageDescription', boundedText(exif?.['ImageDescription']?.value));
  if (mediaType === 'image/png' || mediaType === 'image/apng') {
    for (const { keyword, text } of pngTexts(bytes)) {
      if (GENERATOR_KEYWORDS.has(keyword)) add('generatorText', `PNG text ${keyword}: ${excerpt(text)}`);
      else if (!keyword.startsWith('XML:')) judge(`PNG text ${keyword}`, boundedText(text, 2000));
    }
  }
  return traces;
}

const excerpt = (text: string) => boundedText(text, MAX_EXCERPT) ?? '';

/** The terms in a text, whether they stand there as the vocabulary's URL or bare. */
function sourceTypes(text: string): string[] {
  const found = new Set<string>();
  for (const [, term] of text.matchAll(/digitalsourcetype(?:\/|[^A-Za-z]{1,4})([A-Za-z]{4,60})/gi))
    if (term !== undefined && SYNTHETIC_SOURCE_TYPES.has(term.toLowerCase())) found.add(term);
  return [...found].slice(0, MAX_TRACES);
}
