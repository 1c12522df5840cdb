/** `drover pause`, `resume`, `cancel`, `approve` and `run-now`. */
import { annotations } from '../../api/names.ts';
import type { MaintenancePhase, MaintenancePolicy, NodeMaintenance } from '../../api/resources.ts';
import { causeHeld } from '../../controller/ended.ts';
import { BREAKER_OPEN } from '../../controller/gates/breakers.ts';
import { markText } from '../../controller/gates/marks.ts';
import { isCommandLine, isoSeconds, readJournal } from '../../engine/journal.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { Context } from '../command.ts';
import { CommandError, exitCode, UsageError } from '../errors.ts';
import { closeMatches, nodeName, readNode } from '../nodes.ts';
import { printObject } from '../print-object.ts';
import {
  currentOf,
  noResources,
  type ObjectChange,
  patchObject,
  readMaintenances,
  readPolicies,
  type Target,
} from '../resources.ts';
import type { HoldFlags, PauseFlags } from './command.ts';

export async function pause(context: Context, args: readonly string[], flags: PauseFlags): Promise<number> {
  const because = flags.reason ?? `paused by ${context.identity.replace(/^cli:/, '')}`;
  return change(context, args, flags, {
    word: 'paused',
    maintenance({ spec, status }) {
      if (status?.phase === 'Drained')
        throw new CommandError(
          `node ${spec.nodeName} is drained already, there is nothing to pause; hand it back with: ${context.program} cancel ${spec.nodeName}`,
        );
      return { spec: { paused: true, pausedBecause: because } };
    },
    policy: () => ({ spec: { paused: true } }),
  });
}

export async function resume(context: Context, args: readonly string[], flags: HoldFlags): Promise<number> {
  return change(context, args, flags, {
    word: 'resumed',
    maintenance: () => ({ spec: { paused: false, pausedBecause: null } }),
    policy(name, policies) {
      const spec = { paused: false };
      const policy = policies?.find(({ metadata }) => metadata.name === name);
      if (!policy?.spec.disruption?.breaker) return { spec };
      // Never earlier than it opened: the clock of this machine may be behind.
      const opened = policy.status?.conditions?.find(({ type }) => type === BREAKER_OPEN)?.lastTransitionTime ?? '';
      const at = isoSeconds(Math.max(context.clock.now(), Date.parse(opened) || 0));
      return { spec, annotations: { [annotations.resumed]: markText(person(context), at) } };
    },
  });
}

export async function cancel(context: Context, args: readonly string[], flags: HoldFlags): Promise<number> {
  return change(context, args, flags, {
    word: 'cancelled',
    maintenance: () => ({ spec: { cancelled: true } }),
    policy: (name) => {
      throw new UsageError(
        `policy/${name} cannot be cancelled; pause it (${context.program} pause policy/${name}) or delete it with kubectl`,
      );
    },
  });
}

export async function runNow(context: Context, args: readonly string[], flags: HoldFlags): Promise<number> {
  return change(context, args, flags, {
    word: 'to be run now',
    maintenance({ spec, status }) {
      const phase = status?.phase ?? 'Pending';
      if (!waits.has(phase)) throw new CommandError(`node ${spec.nodeName} does not wait for a window: it is ${phase} already`);
      return { spec: { runNow: true } };
    },
    policy: (name) => {
      throw new UsageError(
        `policy/${name} cannot be run now as a whole; name nodes of it, or change its spec.schedule (kubectl edit maintenancepolicy ${name})`,
      );
    },
  });
}

export async function approve(context: Context, args: readonly string[], flags: HoldFlags): Promise<number> {
  const mark = { annotations: { [annotations.approved]: markText(person(context), isoSeconds(context.clock.now())) } };
  const check = (name: string | undefined, policies: readonly MaintenancePolicy[] | undefined) => {
    const policy = policies?.find(({ metadata }) => metadata.name === name);
    if (policies && !policy?.spec.gates?.approval)
      throw new CommandError(
        name === undefined
          ? 'it belongs to no policy, and so waits for no approval'
          : `policy ${name} asks for no approval (spec.gates.approval)`,
      );
  };
  return change(context, args, flags, {
    word: 'approved',
    maintenance({ spec, status }, policies) {
      const phase = status?.phase ?? 'Pending';
      if (!waits.has(phase))
        throw new CommandError(`node ${spec.nodeName} does not wait for an approval: it is ${phase} already`);
      check(spec.policy, policies);
      return mark;
    },
    policy(name, policies) {
      check(name, policies);
      return mark;
    },
  });
}

function person({ identity }: Context): string {
  return identity.replace(/^cli:/, '');
}

/** Phases before a start; a window can hold back no other. */
const waits: ReadonlySet<MaintenancePhase> = new Set(['Pending', 'BackOff', 'Undoing']);

interface Change {
  readonly word: string;
  readonly maintenance: (maintenance: NodeMaintenance, policies: readonly MaintenancePolicy[]) => ObjectChange;
  /** @param policies absent before the cluster has been asked */
  readonly policy: (name: string, policies?: readonly MaintenancePolicy[]) => ObjectChange;
}

interface Step {
  readonly target: Target;
  /** The node of a maintenance. */
  readonly node?: string;
  readonly change: ObjectChange;
}

/** Everything is looked up before the first change: a slip in the third name changes nothing. */
async function change(context: Context, args: readonly string[], { dryRun, output }: HoldFlags, what: Change): Promise<number> {
  if (args.length === 0) throw new UsageError('nothing is named; give one or more nodes');
  const words = [...new Set(args)];
  // What cannot be done to a policy is a slip of the command line: said before the cluster is asked.
  for (const target of words.map(targetOf)) if (target?.kind === 'policy') what.policy(target.name);
  const client = await context.client();
  const [maintenances, policies] = await Promise.all([readMaintenances(client), readPolicies(client)]);
  if (!maintenances || !policies) throw noResources(context.program);
  const steps: Step[] = [];
  for (const word of words) steps.push(await stepFor(word, client, maintenances, policies, what));

  for (const { target, change: to } of steps) if (dryRun !== 'client') await patchObject(client, target, to, dryRun === 'server');
  const note = dryRun === 'none' ? '' : ` (${dryRun === 'server' ? 'server ' : ''}dry run)`;
  if (output === 'text')
    for (const { target, node } of steps)
      context.screen.out(`${nameOf(target)} ${what.word}${node ? `, node ${node}` : ''}${note}`);
  else
    await printObject(context.screen, output, {
      ok: true,
      dryRun,
      changed: steps.map(({ target, node, change: to }) => ({ ...target, ...(node && { node }), ...to })),
    });
  return exitCode.ok;
}

const prefixes: Readonly<Record<string, Target['kind']>> = {
  policy: 'policy',
  maintenancepolicy: 'policy',
  mp: 'policy',
  maintenance: 'maintenance',
  nodemaintenance: 'maintenance',
  nm: 'maintenance',
};

/** null: a node. */
function targetOf(word: string): Target | null {
  const slash = word.indexOf('/');
  const kind = prefixes[word.slice(0, Math.max(0, slash))];
  return kind === undefined ? null : { kind, name: word.slice(slash + 1) };
}

async function stepFor(
  word: string,
  client: KubeClient,
  maintenances: readonly NodeMaintenance[],
  policies: readonly MaintenancePolicy[],
  what: Change,
): Promise<Step> {
  const target = targetOf(word);
  if (target?.kind === 'policy') {
    if (!policies.some((policy) => policy.metadata.name === target.name)) throw unknown('policy', target.name, policies);
    return { target, change: what.policy(target.name, policies) };
  }
  if (target) {
    const found = maintenances.find((each) => each.metadata.name === target.name);
    if (!found) throw unknown('maintenance', target.name, maintenances);
    return { target, node: found.spec.nodeName, change: what.maintenance(found, policies) };
  }
  const name = nodeName(word);
  const current = currentOf(name, maintenances);
  if (current)
    return {
      target: { kind: 'maintenance', name: current.metadata.name },
      node: name,
      change: what.maintenance(current, policies),
    };
  throw await noMaintenance(client, name, maintenances);
}

function nameOf({ kind, name }: Target): string {
  return kind === 'policy' ? `policy/${name}` : `maintenance/${name}`;
}

function unknown(kind: string, name: string, all: readonly { readonly metadata: { readonly name: string } }[]): CommandError {
  const close = closeMatches(
    name,
    all.map((each) => each.metadata.name),
  );
  return new CommandError(
    `there is no ${kind} "${name}"; ${close.length > 0 ? `did you mean ${close.join(' or ')}?` : 'see: drover status'}`,
  );
}

async function noMaintenance(client: KubeClient, name: string, maintenances: readonly NodeMaintenance[]): Promise<CommandError> {
  const journal = readJournal(await readNode(client, name));
  if (journal && isCommandLine(journal.by)) {
    return new CommandError(
      `node ${name} was taken out by a command line (${journal.by}), not by the controller; stop it there, then: drover uncordon ${name}`,
    );
  }
  const ended = maintenances.find((each) => each.spec.nodeName === name && causeHeld(each.status));
  if (ended)
    return new CommandError(
      `the maintenance of node ${name} has ended (${ended.status?.phase}), and the node is left alone while its reason lasts; to have it drained again: kubectl delete nodemaintenance ${ended.metadata.name}`,
    );
  return new CommandError(`node ${name} has no maintenance under way; see: drover why ${name}`);
}
