import type { AgreedField, Member } from '../../schemas/access.ts';

/** Whether an answer to this member may hold a field: the unit's own people see all, others what their agreement names. */
export function mayBeTold({ agreement }: Member, field: AgreedField): boolean {
  return agreement === null || agreement.fields.includes(field);
}
