import type { CaseResult, ValidationReport } from '../../schemas/validation.ts';

const MARKS: Readonly<Record<CaseResult, string>> = { passed: 'passed', failed: 'FAILED', notApplicable: 'not tried' };

/** A cell may hold what a machine said of itself; a bar or a line break would end the row. */
const cell = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').replaceAll('<', '&lt;').trim();

const seconds = (durationMs: number): string => `${(durationMs / 1000).toFixed(2)} s`;

/** The report as a page for a file of the lab, in Markdown. */
export function validationPage(report: ValidationReport): string {
  const { counts, sandbox } = report;
  const lines = [
    `# Validation of Homeward ${report.engineVersion}`,
    '',
    `Verdict: **${report.verdict}**. ${counts.passed} cases passed, ${counts.failed} failed, ${counts.notApplicable} could not be tried here.`,
    '',
    `- Version ${report.engineVersion}, pipeline ${report.pipelineVersion}, ${report.runtime}`,
    `- Decoders: ${report.decoders.map(cell).join(', ')}`,
    `- Machine: ${cell(report.machine)}`,
    `- Run by ${cell(report.operator)} for ${cell(report.organisation)}, ${report.startedAt} to ${report.finishedAt}`,
    `- Sandbox: network ${sandbox.network}, namespace ${sandbox.namespace}, data folder ${sandbox.dataFolder}, memory limit ${sandbox.memoryLimit ? 'yes' : 'no'}, processor limit ${sandbox.cpuLimit ? 'yes' : 'no'}`,
    ...sandbox.warnings.map((warning) => `  - ${cell(warning)}`),
  ];
  for (const requirement of report.requirements) {
    lines.push(
      '',
      `## ${requirement.id}: ${MARKS[requirement.result]}`,
      '',
      `${requirement.requirement} Goals: ${requirement.goals.join(', ')}.`,
      '',
    );
    lines.push('| case | assertion | expected | received | result | time |', '|---|---|---|---|---|---|');
    for (const one of requirement.cases) {
      const [expected, received] =
        one.result === 'notApplicable' ? ['', one.reason ?? ''] : [one.expected, one.received];
      lines.push(
        `| ${one.id} | ${[one.assertion, expected, received].map(cell).join(' | ')} | ${MARKS[one.result]} | ${seconds(one.durationMs)} |`,
      );
    }
  }
  lines.push('', '## What this does not show', '', ...report.limits.map((limit) => `- ${limit}`), '');
  return lines.join('\n');
}

/** The report on a terminal: a line for each requirement, and each case that did not pass. */
export function validationSummary(report: ValidationReport): string[] {
  const lines: string[] = [`Homeward ${report.engineVersion} (pipeline ${report.pipelineVersion}), ${report.runtime}`];
  for (const { id, cases, result, requirement } of report.requirements) {
    const passed = cases.filter((one) => one.result === 'passed').length;
    lines.push(`${MARKS[result].padEnd(9)} ${id.padEnd(12)} ${passed} of ${cases.length}  ${requirement}`);
    for (const one of cases) {
      if (one.result === 'failed')
        lines.push(`          FAILED ${one.id}: expected ${one.expected}; received ${one.received}`);
      if (one.result === 'notApplicable') lines.push(`          not tried ${one.id}: ${one.reason ?? ''}`);
    }
  }
  const { counts } = report;
  lines.push(
    `${counts.passed} passed, ${counts.failed} failed, ${counts.notApplicable} not tried here: validation ${report.verdict}.`,
  );
  lines.push('Limits:', ...report.limits.map((limit) => `  - ${limit}`));
  return lines;
}
