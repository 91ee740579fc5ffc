const names = new Map<string, string>();

/**
 * SQL of a short statement that is run again and again, whose plan suits whatever its parameters are: a server's connections keep the
 * plan (prepared by name), since planning such a statement takes longer than carrying it out. Declare it once, as a constant of its module.
 */
export function keptPlan(sql: string): string {
  if (!names.has(sql)) names.set(sql, `homeward_${names.size + 1}`);
  return sql;
}

/** Under which name a connection keeps the plan of this SQL; undefined for what is planned anew each time. */
export function keptPlanName(sql: string): string | undefined {
  return names.get(sql);
}
