/** Results as text for a terminal and as the page docs/benchmarks.md. */
import { type Machine, machineInWords } from './machine.ts';
import { type Bar, type Result, shown, type Table } from './result.ts';

export interface Report extends Result {
  readonly title: string;
  readonly machine: Machine;
}

/** By the name of the bench. */
export type Reports = Readonly<Record<string, Report>>;

function barTable(bars: readonly Bar[]): Table {
  const verdict = ({ measured, bar }: Bar) => (measured <= bar ? 'held' : 'MISSED');
  return {
    columns: ['bar', 'measured', 'at most', ''],
    rows: bars.map((each) => [
      each.what,
      `${shown(each.measured)} ${each.unit}`,
      `${shown(each.bar)} ${each.unit}`,
      verdict(each),
    ]),
  };
}

function tablesOf({ tables, bars }: Result): Table[] {
  return bars.length === 0 ? [...tables] : [...tables, barTable(bars)];
}

function asText({ columns, rows }: Table): string {
  const lines = [columns, ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => (line[index] ?? '').length)));
  const text = (line: readonly string[]) =>
    line
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return lines.map(text).join('\n');
}

function asMarkdown({ columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}

/** One bench for the terminal. */
export function terminalReport(report: Report): string {
  const broken = report.broken.map((each) => `BROKEN: ${each}`);
  return [
    report.title,
    ...tablesOf(report).map(asText),
    ...broken,
    ...report.how.filter(Boolean).map((line) => `- ${line}`),
  ].join('\n\n');
}

/** The page with all benches. */
export function markdownPage(reports: Reports): string {
  const sections = Object.values(reports).flatMap((report) => [
    `## ${report.title}`,
    ...tablesOf(report).map(asMarkdown),
    ...report.broken.map((each) => `**Broken:** ${each}`),
    report.how
      .filter(Boolean)
      .map((line) => `- ${line}`)
      .join('\n'),
    machineInWords(report.machine),
  ]);
  const head = [
    '# Benchmarks',
    'Written by `npm run bench -- --write`; the same as JSON is in benchmarks.json. Drover and `kubectl drain` run on the same machine, on the same real control plane (etcd, API server, controller manager, scheduler; kwok plays the kubelets), in the same run. Compare the ratios rather than the seconds: treat differences under 20 % as noise. A bar is a limit that the project has set itself; none is a test, and one that is missed is shown as missed.',
  ];
  return `${[...head, ...sections].join('\n\n')}\n`;
}
