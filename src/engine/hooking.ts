/** The Jobs before and after. One for each time that the node is drained: its name says for which. */
import type { HookSettings } from './action.ts';
import { beforeTheAct, done, failed, isOver, mainActOf, mayAppear, notThere, runsOf, standing } from './acting.ts';
import type { Blocker } from './blocker.ts';
import { gone } from './interruption.ts';
import { hookJob, hookJobName, type HookWhen } from './hook-job.ts';
import type { StepInput, StepResult } from './steps.ts';

export function beforeHook(input: StepInput): StepResult {
  const { action } = input.maintenance;
  return action?.before ? hook(input, action.before, 'before') : { phase: 'Undoing' };
}

export function afterHook(input: StepInput): StepResult {
  const { action } = input.maintenance;
  return action?.after ? hook(input, action.after, 'after') : done(input);
}

function hook(input: StepInput, settings: HookSettings, when: HookWhen): StepResult {
  const { maintenance, node, now } = input;
  const { action, state, recorded } = maintenance;
  if (!node) return gone(input, 'Failed');
  const phase = when === 'before' ? 'BeforeHook' : 'AfterHook';
  const goOn = (): StepResult => (when === 'after' || !action ? done(input) : { phase: mainActOf(action), waitingFor: null });
  if (!action || state.drainedAt === undefined) return { phase: 'Undoing' };
  const run = { kind: 'Job', namespace: settings.namespace, name: hookJobName(when, action.uid, state.drainedAt) } as const;
  const title = `${run.namespace}/${run.name}`;
  const until = state.phaseSince + settings.timeoutMs;
  const waits = (waitingFor: Blocker, more: Partial<StepResult> = {}): StepResult => ({
    phase,
    waitingFor,
    wakeAt: until,
    ...more,
  });

  const jobs = runsOf(input, 'Job', settings.namespace);
  const job = jobs?.get(run.name);
  const remove = job && !isOver(job) && job.deletedAt === undefined && ({ do: 'RemoveRun', run, uid: job.uid } as const);
  const stop = when === 'before' ? beforeTheAct({ ...input, drain: undefined }) : maintenance.cancelled ? done(input) : null;
  if (stop) {
    // A Job that is under way may be at the node this moment.
    if (when === 'before' && (!jobs || (job && !isOver(job)) || (!job && mayAppear(input, run))))
      return waits({ cause: 'HookRunning', job: title, says: 'is being stopped', until }, remove ? { nodeEffect: remove } : {});
    return { ...stop, ...(remove && !stop.nodeEffect && { nodeEffect: remove }) };
  }
  if (!jobs) return waits({ cause: 'NotYetSeen', what: `the Jobs of hooks in namespace ${settings.namespace}` });
  if (job?.state === 'Succeeded') return goOn();
  const over = job?.state === 'Failed' || now >= until;
  if (over) {
    const how = job?.state === 'Failed' ? standing(job) : `did not end within its timeout${job ? ` and ${standing(job)}` : ''}`;
    const next = settings.onFailure === 'Continue' ? goOn() : failed(input, 'HookFailed', `Job ${title} ${how}`);
    return remove ? { ...next, nodeEffect: remove } : next;
  }
  if (job) return waits({ cause: 'HookRunning', job: title, says: standing(job), until });
  if (mayAppear(input, run)) return waits(notThere(input, run));
  if (Math.floor((recorded?.drainedAt ?? 0) / 1_000) !== Math.floor(state.drainedAt / 1_000))
    return waits({ cause: 'NotYetSeen', what: 'that the node being drained is written down' });
  const body = hookJob(maintenance, action, settings, when, run.name);
  return waits(notThere(input, run), { nodeEffect: { do: 'CreateRun', run, body } });
}
