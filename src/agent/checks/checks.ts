/** Runs the rules of the check files, each as a source of its own, and keeps what they say of each condition. */
import type { NodeSignal } from '../../api/node-signal.ts';
import type { Clock, Millis } from '../../lib/clock.ts';
import type { CommandResult, RunCommand } from '../command.ts';
import { oneLine, type Source, timeText } from '../source.ts';
import type { CheckConfig, CheckRule } from './plugin-config.ts';
import { type CheckStatus, judge, type Judgement, type RuleResult, type Verdict, worstOf } from './verdict.ts';

/** A temporary rule that has found something: an Event, no condition. */
export interface TemporaryProblem {
  /** The `source` of its file. */
  readonly from: string;
  readonly reason: string;
  readonly message: string;
}

export interface ChecksOptions {
  readonly configs: readonly CheckConfig[];
  readonly run: RunCommand;
  readonly clock: Clock;
  /** How long another status must last before it is told; 0: at once. */
  readonly holdMs: Millis;
  /** What the node says of a condition since before this process: a restart must not make a sick node well for a while. */
  readonly before: (type: string) => (Verdict & { readonly since: Millis }) | null;
  readonly onProblem: (problem: TemporaryProblem) => void;
}

export interface Checks {
  readonly sources: readonly Source[];
  /** One for each condition that is known; one whose rules have not all run yet is not. */
  verdicts(): readonly Verdict[];
  /** A CustomCheck for each condition that is True. */
  signals(): readonly NodeSignal[];
}

interface Board {
  judgement: Judgement | null;
  /** When its status was first told. */
  since: Millis;
  /** By the place of the rule in its file. */
  readonly results: Map<CheckRule, RuleResult>;
  readonly rules: readonly CheckRule[];
}

export function createChecks({ configs, run, clock, holdMs, before, onProblem }: ChecksOptions): Checks {
  const boards = new Map<string, Board>();
  const rulesOf = (type: string) => configs.flatMap(({ rules }) => rules.filter(({ condition }) => condition === type));
  for (const { conditions } of configs)
    for (const { type } of conditions) {
      if (boards.has(type)) continue;
      const known = before(type);
      boards.set(type, {
        judgement: known && { verdict: known, other: null },
        since: known?.since ?? clock.now(),
        results: new Map(),
        rules: rulesOf(type),
      });
    }

  const record = (config: CheckConfig, result: RuleResult) => {
    const board = boards.get(result.rule.condition);
    // Two files may speak of one condition; its words while it is well are those of the first.
    const condition = configs.flatMap(({ conditions }) => conditions).find(({ type }) => type === result.rule.condition);
    if (!board || !condition) return;
    board.results.set(result.rule, result);
    if (board.rules.some((rule) => !board.results.has(rule))) return;
    const now = worstOf(condition, [...board.results.values()]);
    const earlier = board.judgement ?? { verdict: worstOf(condition, []), other: null };
    const next = judge(earlier, now, clock.now(), holdMs, config.tellsMessages);
    if (next.verdict.status !== board.judgement?.verdict.status) board.since = clock.now();
    board.judgement = next;
  };

  const named = new Map<string, number>();
  /** Several rules, also of several files, may speak of one thing. */
  const nameOf = ({ condition, reason }: CheckRule): string => {
    const name = `check-${condition === '' ? reason : condition}`;
    const before = named.get(name) ?? 0;
    named.set(name, before + 1);
    return before === 0 ? name : `${name}-${before + 1}`;
  };

  const sources = configs.flatMap((config) => {
    const enter = createGate(config.concurrency);
    return config.rules.map((rule): Source => {
      let problemAt: Millis | null = null;
      return {
        name: nameOf(rule),
        everyMs: rule.everyMs,
        // Whoever waits for others to end is not late; each of them ends within its own time.
        timeoutMs: rule.timeoutMs * Math.ceil(config.rules.length / config.concurrency) + 5_000,
        owns: () => false,
        async read(_, signal) {
          const leave = await enter();
          try {
            const result = resultOf(
              rule,
              await run({ path: rule.path, args: rule.args, timeoutMs: rule.timeoutMs, signal }),
              config,
            );
            if (rule.type === 'permanent') record(config, result);
            else if (result.status === 'False') problemAt = null;
            else if (problemAt === null || clock.now() - problemAt >= REPEAT_MS) {
              problemAt = clock.now();
              onProblem({ from: config.source, reason: rule.reason, message: result.message });
            }
          } finally {
            leave();
          }
          return { signals: [] };
        },
      };
    });
  });

  return {
    sources,
    verdicts: () => [...boards.values()].flatMap(({ judgement }) => judgement?.verdict ?? []),
    signals: () =>
      [...boards].flatMap(([type, { judgement, since }]): NodeSignal[] =>
        judgement?.verdict.status === 'True'
          ? [
              {
                kind: 'CustomCheck',
                source: 'check',
                id: type,
                since: timeText(since),
                revocable: true,
                message: oneLine(`${judgement.verdict.reason}: ${judgement.verdict.message}`),
              },
            ]
          : [],
      ),
  };
}

/** A problem that lasts is told again after so long. node-problem-detector tells it at every run. */
const REPEAT_MS = 300_000;

/** As node-problem-detector: exit code 0 is well, 1 is a problem, anything else is not known. */
function resultOf(rule: CheckRule, { code, stdout, why }: CommandResult, { maxOutputLength }: CheckConfig): RuleResult {
  const status: CheckStatus = code === 0 ? 'False' : code === 1 ? 'True' : 'Unknown';
  const said = code === null ? `${rule.path} ${why}` : stdout;
  return { rule, status, message: oneLine(said, Math.max(maxOutputLength, 4)) };
}

/** Lets so many in at once, the others in their turn: who leaves gives its place to the next. */
function createGate(width: number): () => Promise<() => void> {
  let inside = 0;
  const waiting: (() => void)[] = [];
  const leave = () => {
    const next = waiting.shift();
    if (next) next();
    else inside -= 1;
  };
  return async () => {
    if (inside >= width) await new Promise<void>((resolve) => waiting.push(resolve));
    else inside += 1;
    return leave;
  };
}
