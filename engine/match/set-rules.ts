import { SET_PURPOSES, type SetPurpose } from '../../schemas/constants.ts';
import type { Queryable } from '../store/db.ts';
import { keptPlan } from '../store/kept-plan.ts';
import { integer, nullable, oneOf, row } from '../store/row-shape.ts';

interface Rule {
  readonly firstRecordId: number;
  readonly lastRecordId: number;
  readonly purpose: SetPurpose;
  readonly radiusBits: number | null;
  readonly setId: number;
}

const RULE = row({
  firstRecordId: integer,
  lastRecordId: integer,
  purpose: oneOf(SET_PURPOSES),
  radiusBits: nullable(integer),
  setId: integer,
});

/** What holds for sets in force that are not simply known material within the policy's distance. */
export class SetRules {
  /** By falling first number, so that the first block that begins at or before a number is the one that may hold it. */
  readonly #rules: readonly Rule[];

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
  }

  /** The radius to search with so that no set with a larger one of its own loses a hit. */
  searchRadiusBits(policyBits: number): number {
    return this.#rules.reduce((most, { radiusBits }) => Math.max(most, radiusBits ?? 0), policyBits);
  }

  /** The set's own radius; null where the policy's holds. */
  radiusBitsOf(recordId: number): number | null {
    return this.#ruleOf(recordId)?.radiusBits ?? null;
  }

  purposeOf(recordId: number): Rule['purpose'] {
    return this.#ruleOf(recordId)?.purpose ?? 'known';
  }

  setOf(recordId: number): number | null {
    return this.#ruleOf(recordId)?.setId ?? null;
  }

  #ruleOf(recordId: number): Rule | undefined {
    const rule = this.#rules.find((one) => one.firstRecordId <= recordId);
    return rule !== undefined && recordId <= rule.lastRecordId ? rule : undefined;
  }
}

const RULES_SQL = keptPlan(
  `select b.first_record_id, b.last_record_id, s.purpose, s.radius_bits, s.set_id
     from hash_set s join known_block b on b.set_id = s.set_id
    where s.state = 'active' and (s.radius_bits is not null or s.purpose <> 'known')
    order by b.first_record_id desc`,
);

/** Read with each group that is matched: a set may come into force at any time, and most databases have no such rule at all. */
export async function loadSetRules(db: Queryable): Promise<SetRules> {
  return new SetRules(await db.read(RULE, RULES_SQL));
}
