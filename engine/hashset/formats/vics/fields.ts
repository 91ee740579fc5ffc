/** Fields of a Media object, and of the objects in its AlternativeHashes, that are read. All others (Exifs with their GPS, MediaFiles ...) are passed over. */
export const MEDIA_FIELDS = [
  'MD5',
  'SHA1',
  'SHA256',
  'MediaID',
  '@homeward.sourceKey',
  'Category',
  'MediaSize',
  'Series',
  'Tags',
  'VictimIdentified',
  'OffenderIdentified',
  'IsDistributed',
  'IsPrecategorized',
  'IsSuspected',
  'PhotoDNA',
  'AlternativeHashes',
] as const;
export const ALTERNATIVE_HASH_FIELDS = ['HashName', 'HashValue', '@homeward.flavour', '@homeward.quality'] as const;
/** Fields of a Case object that are read. */
export const CASE_FIELDS = ['Media', 'TotalMediaFiles'] as const;
/** Fields of the document that are read. */
export const DOCUMENT_FIELDS = ['value'] as const;
