import { duePurges, type Purged, purgeAfterAgreement } from '../../engine/access/agreement-purge.ts';
import { withAudit } from '../../engine/audit/with-audit.ts';
import type { Db } from '../../engine/store/db.ts';
import type { Config } from '../../schemas/config.ts';
import { auditActOf } from './audit-act.ts';

/** Carries out what is due, each as a recorded act. */
export async function purgeEndedAgreements(db: Db, config: Config): Promise<Purged[]> {
  const purged: Purged[] = [];
  for (const due of await duePurges(db)) {
    const act = auditActOf(config, 'erasure', 'agreement purge', {
      justification: 'the agreement ended and names this purge',
    });
    const objects = [`agreement ${due.agreementId}`, `organisation ${due.organisationId}`];
    purged.push(
      await withAudit(db, { ...act, objects }, async () => {
        const result = await purgeAfterAgreement(db, due, config.actor);
        return {
          result,
          objects: [`sets ${result.sets}`, `cases ${result.cases}`],
          outcome: result.finished ? 'done' : 'interrupted',
        };
      }),
    );
  }
  return purged;
}
