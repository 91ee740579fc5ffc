import type { RequirementToRun } from './case.ts';
import { archives } from './requirements/archives.ts';
import { audit } from './requirements/audit.ts';
import { budgets } from './requirements/budgets.ts';
import { containment } from './requirements/containment.ts';
import { database } from './requirements/database.ts';
import { decoders } from './requirements/decoders.ts';
import { determinism } from './requirements/determinism.ts';
import { digests } from './requirements/digests.ts';
import { oddFiles } from './requirements/odd-files.ts';
import { pdq } from './requirements/pdq.ts';
import { sandbox } from './requirements/sandbox.ts';
import { variants } from './requirements/variants.ts';

/** In the order of the report. Their ids and goals are listed in docs/assurance.md. */
export const REQUIREMENTS: readonly RequirementToRun[] = [
  digests,
  pdq,
  decoders,
  variants,
  determinism,
  containment,
  budgets,
  archives,
  sandbox,
  database,
  audit,
  oddFiles,
];

/** What a reader must not take this validation for. */
export const LIMITS: readonly string[] = [
  "It shows how this installation behaved on this machine at this time, with pictures drawn by calculation. It does not replace the tests of the project, nor a validation with the unit's own material.",
  'PDQ survives re-encoding, resizing, small changes of colour, mirroring and quarter turns. It does not survive cropping of more than a few per cent, free rotation, or heavy overlays: nothing found does not mean that nothing is there.',
  'HEIC is tried only with a picture given (--heic), the published conformance data only when its folder is given (--vectors).',
  'The radius of a match and its false matches were not measured here: a few drawn scenes say nothing about millions of photographs.',
  'A power loss is not simulated here (the test suite does, on a copied folder): use a server for evidence, or back the folder up.',
  'A trail that is rewritten whole, by somebody who holds the database, is detected only against a head kept elsewhere.',
  'A case that is not applicable was not tried. It is no evidence either way.',
];
