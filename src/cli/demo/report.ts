/** What the demo says at its end. Pure. */
import { counted } from '../counted.ts';
import type { Millis } from '../../lib/clock.ts';
import { type FailureCounts, failureCauses } from '../../sim/traffic/failure-causes.ts';
import { elapsed } from '../elapsed.ts';
import { exitCode } from '../errors.ts';
import type { Screen } from '../screen.ts';
import type { BudgetRecord } from './budget-observer.ts';
import type { LowerBound } from './lower-bound.ts';
import type { HandoverFlag } from '../handover-modes.ts';
import type { Action } from './scene.ts';

export interface DemoReport {
  readonly action: Action;
  readonly handover: HandoverFlag;
  readonly seed: number;
  /** In the cluster at the start. */
  readonly nodes: number;
  readonly nodesToDrain: number;
  readonly nodesDrained: number;
  /** Drained, and replaced or back in service. */
  readonly nodesDone: number;
  readonly podsMoved: number;
  /** From the mark to the last node that was drained; null when not all were. */
  readonly tookMs: Millis | null;
  readonly lowerBound: LowerBound;
  readonly budgetViolations: number;
  readonly budgets: readonly BudgetRecord[];
  readonly requests: {
    readonly sent: number;
    readonly failed: number;
    readonly failures: FailureCounts;
    readonly services: readonly { readonly service: string; readonly sent: number; readonly failed: number }[];
  };
  /** Why the nodes that are not done are not, in the engine's words. */
  readonly stuck: readonly string[];
}

/** Promises that were broken, one line each. */
export function brokenPromises({ nodesToDrain, nodesDone, budgetViolations, requests, action }: DemoReport): string[] {
  return [
    ...(nodesDone < nodesToDrain ? [`${nodesToDrain - nodesDone} of ${nodesToDrain} nodes were not ${outcome[action]}`] : []),
    ...(budgetViolations > 0 ? [`disruption budgets were violated ${counted(budgetViolations, 'time')}`] : []),
    ...(requests.failed > 0 ? [`${counted(requests.failed, 'request')} failed`] : []),
  ];
}

const outcome: Readonly<Record<Action, string>> = { replace: 'replaced', drain: 'drained and given back' };

export function exitCodeOf(report: DemoReport): number {
  if (report.nodesDone < report.nodesToDrain) return exitCode.notDrained;
  return brokenPromises(report).length > 0 ? exitCode.error : exitCode.ok;
}

export function reportLines(report: DemoReport, { paint }: Pick<Screen, 'paint'>): string[] {
  const { nodesToDrain, nodesDone, podsMoved, tookMs, lowerBound, budgetViolations, budgets, requests, action } = report;
  const verdict = (isGood: boolean, text: string) => paint(isGood ? 'good' : 'bad', text);
  const allDone = nodesDone === nodesToDrain;
  const head = verdict(allDone, `${nodesDone} of ${nodesToDrain} nodes ${outcome[action]}`);
  const time = tookMs === null ? '' : ` in ${elapsed(tookMs)}`;
  const share = tookMs === null || lowerBound.ms === 0 ? '' : `, ${(tookMs / lowerBound.ms).toFixed(1)} times the least possible`;
  return [
    `nodes      ${head}${time}${share}; ${counted(podsMoved, 'pod')} moved`,
    `           ${paint('quiet', `least possible ${elapsed(lowerBound.ms)}: ${lowerBound.because}`)}`,
    ...report.stuck.map((line) => `           ${line}`),
    `budgets    ${verdict(budgetViolations === 0, counted(budgetViolations, 'violation'))} of ${budgets.length} budgets${paint('quiet', ', counted pod by pod, whatever Drover or a status says')}`,
    `requests   ${verdict(requests.failed === 0, `${requests.failed.toLocaleString('en')} failed`)} of ${requests.sent.toLocaleString('en')}${causes(requests.failures)}`,
    `pods       ${readyText(budgets)}`,
  ];
}

/** " (Reset 3, Refused 1)", or nothing. */
export function causes(failures: FailureCounts): string {
  const named = failureCauses.flatMap((cause) => (failures[cause] > 0 ? [`${cause} ${failures[cause]}`] : []));
  return named.length > 0 ? ` (${named.join(', ')})` : '';
}

/** "all Ready all the time: web, cart; fewest at once: orders 2 of 3" */
function readyText(budgets: readonly BudgetRecord[]): string {
  const whole = budgets.filter(({ fewest, replicas }) => fewest >= replicas).map(({ name }) => name);
  const fewer = budgets
    .filter(({ fewest, replicas }) => fewest < replicas)
    .map(({ name, fewest, replicas }) => `${name} ${fewest} of ${replicas}`);
  return [
    ...(whole.length > 0 ? [`all Ready all the time: ${whole.join(', ')}`] : []),
    ...(fewer.length > 0 ? [`fewest Ready at once: ${fewer.join(', ')}`] : []),
  ].join('; ');
}
