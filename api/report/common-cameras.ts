/**
 * Makers whose devices are widespread, and what their model names look like. Make and model are free text that
 * anybody can write into a file, so only what fits these patterns is shown without being revealed.
 */
const MODEL_NUMBER = '[A-Z]{0,6}[ -]?[0-9]{1,5}[A-Z]{0,4}';
const MAKERS: ReadonlyArray<readonly [make: RegExp, shown: string, model: RegExp]> = [
  [
    /^apple$/i,
    'Apple',
    /^(?:iPhone|iPad|iPod touch)(?: (?:[0-9]{1,2}(?:th generation)?|X|XR|XS|SE|Pro|Plus|Max|mini|Air|[0-9]s|[0-9]c|\([0-9](?:st|nd|rd|th) generation\)))*$/,
  ],
  [
    /^canon$/i,
    'Canon',
    /^Canon (?:EOS|PowerShot|IXUS|DIGITAL IXUS)(?: (?:DIGITAL|REBEL|Kiss|Mark|II|III|IV|HS|IS|[A-Z]{0,4}[0-9]{1,5}[A-Za-z]{0,3}))*$/,
  ],
  [/^nikon(?: corporation)?$/i, 'Nikon', /^(?:NIKON |COOLPIX )?(?:Z|D|P|S|L|E|A|B)? ?[0-9]{1,4}[A-Za-z]{0,2}(?:_2)?$/],
  [
    /^sony(?: ericsson)?$/i,
    'Sony',
    new RegExp(`^(?:DSC-|ILCE-|SLT-|DSLR-|NEX-|XQ-|ZV-)?${MODEL_NUMBER}[0-9A-Z]{0,3}$`),
  ],
  [
    /^samsung(?: techwin| electronics)?$/i,
    'Samsung',
    /^(?:SM-|GT-|SAMSUNG-SM-)[A-Z][0-9]{3,4}[A-Z0-9]{0,3}$|^Galaxy [A-Z][0-9]{1,2}(?: (?:Ultra|Plus|FE))?$/,
  ],
  [/^google$/i, 'Google', /^Pixel(?: [0-9]{1,2}[a]?)?(?: (?:XL|Pro|Fold))*$/],
  [/^huawei$/i, 'Huawei', /^[A-Z]{3}-[A-Z]{0,2}[0-9]{2,4}[A-Z]{0,2}$/],
  [
    /^xiaomi$/i,
    'Xiaomi',
    /^(?:Mi|Redmi|Redmi Note|POCO)(?: (?:[0-9]{1,2}[A-Z]{0,2}|Pro|Lite|Ultra|Max|5G))+$|^[0-9]{6,10}[A-Z]{0,3}[0-9]{0,3}[A-Z]{0,2}$/,
  ],
  [
    /^(?:fujifilm|fuji photo film co\., ltd\.)$/i,
    'Fujifilm',
    /^(?:FinePix )?[A-Z]{0,2}-?[A-Z]?[0-9]{1,4}[A-Z]{0,4}[0-9]?$/,
  ],
  [/^panasonic$/i, 'Panasonic', /^D[CM]C-[A-Z]{1,3}[0-9]{1,4}[A-Z]{0,3}[0-9]?$/],
  [
    /^(?:olympus(?: imaging corp\.| corporation| optical co\.,ltd)?|om digital solutions)$/i,
    'Olympus',
    /^(?:E-|SP|TG-|FE|u|C)?[A-Z]{0,2}[0-9]{1,5}(?:Mark ?I{1,3}V?|UZ|Z)?$/,
  ],
  [
    /^(?:eastman kodak company|kodak)$/i,
    'Kodak',
    /^(?:KODAK )?(?:EASYSHARE )?[A-Z]{1,2}[0-9]{2,4}(?: ZOOM)?(?: DIGITAL CAMERA)?$/,
  ],
  [
    /^(?:motorola|lenovo|lge|lg electronics|oneplus|oppo|vivo|nokia|htc|hmd global)$/i,
    '',
    new RegExp(`^${MODEL_NUMBER}$`),
  ],
  [/^(?:gopro|dji|leica camera ag|pentax|ricoh|hasselblad)$/i, '', new RegExp(`^${MODEL_NUMBER}$`)],
];

/** Letter groups in a model number that spell something: no maker needs them, and the patterns above would let them pass. */
const LONGEST_WORD = /[A-Za-z]{5,}/;
const PLAIN_WORDS =
  /iPhone|iPad|touch|generation|Canon|PowerShot|DIGITAL|REBEL|NIKON|COOLPIX|SAMSUNG|Galaxy|Ultra|Pixel|Redmi|FinePix|KODAK|EASYSHARE|CAMERA/g;

/** Make and model as shown on a page, or null when they are not those of a widespread camera. */
export function commonCamera(make: string, model: string): string | null {
  const maker = MAKERS.find(([pattern]) => pattern.test(make.trim()));
  if (maker === undefined) return null;
  const [, shown, pattern] = maker;
  const name = shown === '' ? make.trim().slice(0, 20) : shown;
  const text = model.trim();
  if (text.length > 40 || !pattern.test(text) || LONGEST_WORD.test(text.replace(PLAIN_WORDS, ''))) return null;
  return text.toLowerCase().startsWith(name.toLowerCase()) ? text : `${name} ${text}`;
}
