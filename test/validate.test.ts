import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { before, describe, it } from 'node:test';
import { validateInstallation } from '../api/compose/validate-installation.ts';
import type { CaseToRun, RequirementToRun } from '../api/validate/case.ts';
import { archives } from '../api/validate/requirements/archives.ts';
import { wholeChainCase } from '../api/validate/requirements/audit.ts';
import { budgetCase } from '../api/validate/requirements/budgets.ts';
import { decoders, formatCase } from '../api/validate/requirements/decoders.ts';
import { digestCase, digests } from '../api/validate/requirements/digests.ts';
import { oddFiles } from '../api/validate/requirements/odd-files.ts';
import { kernelCase } from '../api/validate/requirements/pdq.ts';
import { sandbox } from '../api/validate/requirements/sandbox.ts';
import { variantCase } from '../api/validate/requirements/variants.ts';
import { LIMITS, REQUIREMENTS } from '../api/validate/requirements.ts';
import { refusalOf, verdictOf } from '../api/validate/run.ts';
import { validationPage, validationSummary } from '../api/validate/text.ts';
import { ORIENTATIONS } from '../schemas/fingerprint.ts';
import type { ValidationReport } from '../schemas/validation.ts';

const requirement = (id: string, ...cases: CaseToRun[]): RequirementToRun => ({
  id,
  goals: ['R5'],
  requirement: `broken on purpose: ${id}`,
  cases,
});

const zero = '0'.repeat(64);
const wrongHashes = (['pdq-512', 'pdq-full'] as const).map((flavour) => ({
  flavour,
  hex: zero,
  quality: 100,
  dihedral: ORIENTATIONS.map(() => zero),
}));

/** Each holds as it is shipped, and is asked here for something else. */
const BROKEN: readonly RequirementToRun[] = [
  requirement('digest', digestCase({ id: 'abc', of: 'abc', bytes: () => Buffer.from('abc'), md5: 'f'.repeat(32) })),
  requirement('kernel', kernelCase('kernel-65x63.png', wrongHashes)),
  requirement('format', formatCase({ file: 'format-png.png', mediaType: 'image/webp', mostBits: 0 })),
  requirement('variant', variantCase('half', 'reduced', -1)),
  requirement('budget', budgetCase({ id: 'bomb', assertion: 'wrong', file: 'bomb.png', outcome: 'done', reasons: [] })),
  requirement('chain', wholeChainCase(11)),
  requirement('throwing', {
    id: 'throws',
    assertion: 'A case that throws fails.',
    check: async () => {
      throw new Error('as planned');
    },
  }),
];

const SOUND: readonly RequirementToRun[] = [digests, decoders, archives, sandbox, oddFiles];

const leftBehind = (): string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith(`homeward-validate-${process.pid}-`));

describe('validation on this machine, with its real hosts and database', () => {
  let report: ValidationReport;
  let earlier: string[];
  before(async () => {
    earlier = leftBehind();
    report = await validateInstallation({
      operator: 'a test',
      organisation: 'a unit',
      vectorsFolder: null,
      heicFile: null,
      signal: new AbortController().signal,
      requirements: [...SOUND, ...BROKEN],
    });
  });

  const resultsOf = (ids: readonly string[]) =>
    report.requirements.filter(({ id }) => ids.includes(id)).flatMap(({ cases }) => cases);

  it('passes what holds: no case of a sound requirement fails', () => {
    const failed = resultsOf(SOUND.map(({ id }) => id)).filter(({ result }) => result === 'failed');
    assert.deepEqual(failed, []);
  });

  for (const { id } of BROKEN) {
    it(`fails a requirement that does not hold: ${id}`, () => {
      assert.deepEqual(
        resultsOf([id]).map(({ result }) => result),
        ['failed'],
      );
    });
  }

  it('says why a case could not be tried, and does not count it as passed', () => {
    const [heic] = resultsOf(['decoders']).filter(({ id }) => id === 'heic');
    assert.equal(heic?.result, 'notApplicable');
    assert.match(heic?.reason ?? '', /--heic/);
  });

  it('fails as a whole when one requirement does, with exit code 4', () => {
    assert.equal(report.verdict, 'failed');
    const refusal = refusalOf(report);
    assert.equal(refusal?.code, 'HW_VALIDATION_FAILED');
    assert.equal(refusal?.exitCode, 4);
  });

  it('passes as a whole when the others alone were tried', () => {
    const sound = report.requirements.filter(({ id }) => SOUND.some((one) => one.id === id));
    assert.equal(verdictOf(sound).verdict, 'passed');
    assert.equal(refusalOf({ ...verdictOf(sound), requirements: sound }), null);
  });

  it('does not pass when nothing could be tried', () => {
    assert.equal(verdictOf([]).verdict, 'failed');
  });

  it('counts every case', () => {
    const { passed, failed, notApplicable } = report.counts;
    assert.equal(
      passed + failed + notApplicable,
      report.requirements.reduce((sum, { cases }) => sum + cases.length, 0),
    );
    assert.equal(failed, BROKEN.length);
  });

  it('writes a page and a summary that name each failure and every limit', () => {
    const [page, summary] = [validationPage(report), validationSummary(report).join('\n')];
    for (const text of [page, summary]) {
      for (const { id } of BROKEN) assert.ok(text.includes(id), id);
      for (const limit of LIMITS) assert.ok(text.includes(limit), limit);
    }
  });

  it('leaves nothing behind in the temporary folder', () => {
    assert.deepEqual(leftBehind(), earlier);
  });
});

describe('what the validation asks', () => {
  it('gives every requirement and case an id of its own', () => {
    const ids = REQUIREMENTS.flatMap(({ id, cases }) => [id, ...cases.map((one) => `${id}/${one.id}`)]);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('names existing source for its drawing process', () => {
    assert.ok(existsSync(new URL('../workers/validate/main.ts', import.meta.url)));
  });
});
