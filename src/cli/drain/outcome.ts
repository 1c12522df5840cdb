/** What is said when a drain has ended. Pure. */
import type { DrainOutcome, DrainRunReport, DrainRunResult } from '../../controller/drain-report.ts';
import { explain } from '../../engine/explain.ts';
import { elapsed } from '../elapsed.ts';
import { exitCode } from '../errors.ts';
import { commandLine, helps, leftOver, standOf, waitObject } from './waits.ts';

export function exitCodeOf({ ok, nodes }: DrainRunResult): number {
  if (ok) return exitCode.ok;
  return nodes.some((node) => node.outcome === 'Interrupted') ? exitCode.interrupted : exitCode.notDrained;
}

/** A line for each node that is not drained, and how to go on. Empty when all is well. */
export function failureLines(result: DrainRunResult, last: DrainRunReport | null, program: string): string[] {
  const failed = result.nodes.filter((node) => node.outcome !== 'Drained');
  if (failed.length === 0) return [];
  const lines = failed.flatMap((node) => {
    const report = last?.nodes.find((each) => each.name === node.name);
    const stand = last && report && node.outcome !== 'NotStarted' ? standOf(report, last.now) : '';
    const because = [node.message, stand].filter(Boolean).join('; ');
    const unblock = stand !== '' && report?.waitingFor ? explain(report.waitingFor, last?.now ?? 0, commandLine).unblock : '';
    return [
      `error: node ${node.name} ${said[node.outcome](elapsed(node.seconds * 1_000))}${because ? `: ${because}` : ''}`,
      ...(helps(unblock) ? [`  what would help: ${unblock}`] : []),
    ];
  });
  // Someone may have uncordoned it meanwhile, which ended the drain.
  const open = new Set(last?.nodes.filter(({ cordoned }) => !cordoned).map(({ name }) => name));
  const begun = failed.filter((node) => node.outcome !== 'NotStarted' && !open.has(node.name)).map((node) => node.name);
  if (begun.length > 0) {
    const names = begun.join(' ');
    lines.push(
      `${begun.length === 1 ? 'It stays' : 'They stay'} cordoned. Run the same command to go on, or give back with: ${program} uncordon ${names}`,
    );
  }
  return lines;
}

const said: Readonly<Record<DrainOutcome, (time: string) => string>> = {
  Drained: (time) => `was drained in ${time}`,
  Failed: (time) => `was not drained after ${time}`,
  TimedOut: (time) => `was not drained in time, after ${time}`,
  Interrupted: (time) => `was not drained when it was stopped, after ${time}`,
  NotStarted: () => 'was not begun; nothing was changed on it',
};

/** For -o json and yaml. */
export function resultObject({ ok, nodes }: DrainRunResult, last: DrainRunReport | null): object {
  return {
    ok,
    nodes: nodes.map(({ name, outcome, message, seconds, pods }) => {
      const report = last?.nodes.find((each) => each.name === name);
      const now = last?.now ?? 0;
      const left = outcome === 'Drained' ? [] : (report?.pods ?? []).filter((each) => each.state !== 'Skipped');
      return {
        name,
        outcome,
        seconds,
        podsMoved: pods,
        ...(message !== '' && { message }),
        ...(outcome !== 'Drained' && report?.waitingFor && { waitingFor: waitObject(report.waitingFor, now) }),
        ...(left.length > 0 && { podsLeft: left.map((each) => leftOver(each, now)) }),
      };
    }),
  };
}
