/**
 * Every sentence that Drover says about a wait: what it is, whose it is, and what would end it. Status, events, `drover why`, the
 * progress view and the dashboard all take their words from here, so they cannot disagree.
 */
import type { Millis } from '../lib/clock.ts';
import type { Blocker, BudgetNumbers } from './blocker.ts';
import { gateSentences } from './gates/gate-sentences.ts';
import { duration, type Explanation, listed, nodeOf, passing, type Sentence, type Viewpoint, wait } from './phrasing.ts';
import { localTime } from './schedule/wall-clock.ts';

/** @param by absent: the hints name every way. */
export function explain(blocker: Blocker, now: Millis, by?: Viewpoint): Explanation {
  return (sentences[blocker.cause] as Sentence<Blocker['cause']>)(blocker, now, by);
}

const sentences: { readonly [C in Blocker['cause']]: Sentence<C> } = {
  Paused: ({ because }, _, by) => wait(`it is paused${because ? `: ${because}` : ''}`, `\`drover resume ${nodeOf(by)}\``),
  PolicyPaused: ({ policy }) => wait(`policy ${policy} is paused`, `\`drover resume policy/${policy}\``),
  PolicyMissing: ({ policy }, _, by) =>
    wait(
      `policy ${policy} does not exist, and with it the limits of this node are unknown`,
      `creating policy ${policy} again, or \`drover cancel ${nodeOf(by)}\``,
    ),
  MaxNodes: ({ policy, limit, out }) =>
    passing(
      `policy ${policy} allows ${nodes(limit)} out at a time and ${areOut(out)}`,
      'one of them coming back, or a larger spec.disruption.maxNodes',
    ),
  GroupLimit: ({ policy, label, value, limit, out }) =>
    passing(
      `policy ${policy} allows ${nodes(limit)} out at a time where ${label}=${value || '(none)'} and ${areOut(out)}`,
      'one of them coming back, or a larger spec.disruption.perGroup',
    ),
  NodeTaken: ({ by }) => passing(`NodeMaintenance ${by} is at work on the node`, 'that one ending'),
  MinInterval: ({ policy, until }, now) =>
    passing(`policy ${policy} spaces its starts; the next is in ${duration(until - now)}`, 'time'),
  OutsideWindow: ({ policy, opensAt, timeZone, because }, _, by) =>
    passing(
      `policy ${policy} starts nothing before ${localTime(opensAt, timeZone)}${because ? `; ${because}` : ', when its next window opens'}`,
      `time, or \`drover run-now ${nodeOf(by)}\``,
    ),
  WindowTooShort: ({ policy, until, timeZone, expectMs, fitsAt }, _, by) =>
    passing(
      `the window of policy ${policy} closes ${localTime(until, timeZone)} and a drain may take ${duration(expectMs)}; one that is long enough opens ${localTime(fitsAt, timeZone)}`,
      `time, or \`drover run-now ${nodeOf(by)}\``,
    ),
  NoWindow: ({ policy, expectMs }, _, by) =>
    wait(
      expectMs === null
        ? `policy ${policy} has no window any more`
        : `no window of policy ${policy} is as long as a drain may take, ${duration(expectMs)}`,
      `${expectMs === null ? 'a window' : 'a longer window'} in spec.schedule of the policy, or \`drover run-now ${nodeOf(by)}\``,
    ),
  MassTrigger: ({ policy, matched, selected, limit }) =>
    wait(
      `${matched} of ${selected} nodes of policy ${policy} match at once, more than its mass-trigger limit of ${limit}: that looks like a fault of the detector, not of the nodes`,
      'fewer nodes matching, or a larger spec.disruption.massTrigger once you have looked',
    ),
  ControlPlaneLimit: ({ policy, limit, out }) =>
    passing(
      `policy ${policy} allows ${nodes(limit)} of the control plane out at a time and ${areOut(out)}`,
      'one of them coming back, or a larger spec.disruption.controlPlane',
    ),
  ClusterLimit: ({ limit, out, group }) =>
    passing(
      `the controller allows ${nodes(limit)} out at a time${group === null ? '' : ` where ${group}`}, all policies together, and ${areOut(out)}`,
      `one of them coming back, or a larger ${group === null ? 'limits.maxNodes' : 'limits.perGroup'} in the configuration of the controller`,
    ),
  ...gateSentences,
  BackOff: ({ until, attempt, because }, now) =>
    passing(
      `attempt ${attempt} stood still (${because}); the next is in ${duration(until - now)}`,
      'time, or what stopped it being mended',
    ),

  BudgetExhausted: ({ pod, owner, budget }) => ({
    ...passing(
      budget.disruptionsAllowed > 0
        ? `what disruption budget ${named(budget)} allows (${budget.disruptionsAllowed}) is taken by evictions under way: ${healthy(budget)}`
        : `disruption budget ${named(budget)} allows no disruption now: ${numbers(budget)}`,
      `one more Ready pod of the budget (it has ${budget.currentHealthy} of ${budget.desiredHealthy + 1} needed)`,
    ),
    pod,
    owner,
  }),
  BudgetNeverAllows: ({ pod, owner, budget }) => ({
    ...wait(
      `disruption budget ${named(budget)} can never allow a disruption: it demands ${budget.desiredHealthy} of ${budget.expectedPods} pods`,
      `a budget that allows one (\`kubectl edit pdb -n ${budget.namespace} ${budget.name}\`), or one more replica${owner.startsWith('ReplicaSet/') ? ', or handover where it is switched off' : ''}`,
    ),
    pod,
    owner,
  }),
  BudgetNotComputed: ({ pod, owner, budget, message }) => ({
    ...wait(
      `disruption budget ${named(budget)} allows nothing, because the disruption controller cannot count its pods: ${message}`,
      `a budget that it can count: minAvailable as a number, or other pods selected (\`kubectl edit pdb -n ${budget.namespace} ${budget.name}\`)`,
    ),
    pod,
    owner,
  }),
  BudgetStale: ({ pod, owner, budget }) => ({
    ...passing(
      `disruption budget ${named(budget)} has been changed and its numbers are not up to date`,
      'the disruption controller catching up',
    ),
    pod,
    owner,
  }),
  SeveralBudgets: ({ pod, owner, budgets }) => ({
    ...wait(
      `disruption budgets ${budgets.join(' and ')} both select it; the API server refuses to evict such a pod`,
      'all but one of these budgets not selecting it',
    ),
    pod,
    owner,
  }),
  ProtectedPod: ({ pod, owner, why }, _, by) => ({ ...wait(protectedBecause[why].message, unprotect(pod, why, by)), pod, owner }),
  WaitCompleted: ({ pod, owner, until }, now) => ({
    ...passing(
      `the policy waits for it to complete${until === null ? '' : `, at most ${duration(until - now)} more`}`,
      'the pod completing',
    ),
    pod,
    owner,
  }),
  EarlierTier: ({ pod, tier, remaining }) => ({
    ...passing(`${remaining} pod${remaining === 1 ? '' : 's'} of tier ${tier} leave first`, 'those pods being gone'),
    pod,
  }),
  Terminating: ({ pod, owner, until }, now) => ({
    ...passing(
      until > now ? `it is stopping; its grace ends in ${duration(until - now)}` : 'it is stopping; its grace has just ended',
      'its containers stopping',
    ),
    pod,
    owner,
  }),
  TerminatingOverdue: ({ pod, owner, since }, now) => ({
    ...wait(
      `its grace ended ${duration(now - since)} ago and it is still there`,
      'its kubelet reporting it gone; check the kubelet and the container runtime of the node',
    ),
    pod,
    owner,
  }),
  Finalizer: ({ pod, finalizers }) => ({
    ...wait(`it is held by finalizer ${finalizers.join(', ')}`, 'whoever set the finalizer removing it'),
    pod,
  }),
  NamespaceTerminating: ({ pod }) => ({
    ...passing('its namespace is being deleted, which forbids evictions', 'the namespace controller deleting the pod'),
    pod,
  }),
  Throttled: ({ pod, until }, now) => ({
    ...passing(`the API server asks for patience for ${duration(until - now)}`, 'time'),
    pod,
  }),
  Forbidden: ({ pod, message }) => ({ ...wait(message, 'the rights that examples/rbac.yaml lists'), pod }),
  EvictionRefused: ({ pod, message }) => ({
    ...wait(`the eviction was refused: ${message}`, 'whoever refused it (usually an admission webhook) allowing it'),
    pod,
  }),
  ApiUnavailable: ({ pod, message }) => ({ ...passing(message, 'the API server answering'), pod }),
  InFlight: ({ pod }) => ({ ...passing('the API server has been asked', 'its answer taking effect'), pod }),
  NotYetSeen: ({ what }) => passing(`${what} not read yet`, 'the API server answering'),

  HandoverReleasing: ({ pod, owner }) => ({
    ...passing(`${owner} has not let go of it yet`, 'the ReplicaSet controller seeing the change'),
    pod,
    owner,
  }),
  ReplacementMissing: ({ pod, owner }) => ({
    ...passing(
      `${owner} has not created its replacement yet`,
      'the ReplicaSet creating a pod; if it lasts, look at its events (quota, admission)',
    ),
    pod,
    owner,
  }),
  ReplacementNotReady: ({ pod, owner, replacement, why }) => ({
    ...passing(`its replacement ${replacement} is not Ready yet (${why})`, `${replacement} getting Ready`),
    pod,
    owner,
  }),
  ReplacementNoRoom: ({ pod, owner, replacement, message }) => ({
    ...passing(
      `its replacement ${replacement} finds no node: ${schedulers(message)}`,
      'room for one more copy: another node, or fewer requests',
    ),
    pod,
    owner,
  }),
  ReplacementSettling: ({ pod, until }, now) => ({
    ...passing(`its replacement has just become Ready; ${duration(until - now)} until every node knows`, 'time'),
    pod,
  }),
  Unlisting: ({ pod, services }) => ({
    ...passing(
      services.length > 0 ? `Service ${services.join(', ')} still sends to it` : 'requests on their way to it are waited for',
      'the endpoints being updated',
    ),
    pod,
  }),

  NotEmptyLongEnough: ({ until }, now) => passing(`it has to stay empty for another ${duration(until - now)}`, 'time'),
  VolumesAttached: ({ volumes }) =>
    passing(
      `${volumes.length} volume${volumes.length === 1 ? ' is' : 's are'} still attached: ${listed(volumes)}`,
      'the attach-detach controller and the CSI driver detaching them',
    ),
  NotSettled: ({ owners, until }, now) =>
    passing(
      `what left the node is not all Ready elsewhere: ${listed(owners)} (at most ${duration(until - now)} more)`,
      'those pods getting Ready',
    ),
  CannotReboot: ({ why }) => wait(`it cannot be rebooted: ${why}`, 'that being mended; until then the node is left as it is'),
  RebootDelay: ({ until }, now) => passing(`the policy waits ${duration(until - now)} more before it reboots the node`, 'time'),
  WaitingForReboot: ({ pod, says, until }, now) => ({
    ...passing(
      `the node is to come back with a new boot id, within ${duration(until - now)}; the pod that tells it to ${says}`,
      'the reboot',
    ),
    pod,
  }),
  StoppingReboot: ({ pod }) => ({
    ...passing(
      'the pod that would reboot the node has not ended, and the node is not handed back before',
      `its kubelet ending it; where the machine is gone for good: \`kubectl delete pod --force ${kubectlName(pod)}\``,
    ),
    pod,
  }),
  NotReadyYet: ({ until }, now) =>
    passing(
      `the node is not Ready${until === null ? '' : ` yet (at most ${duration(until - now)} more)`}`,
      'its kubelet reporting Ready',
    ),
  ConditionMissing: ({ type, status, until }, now) =>
    passing(
      `its condition ${type} is not ${status} yet (at most ${duration(until - now)} more)`,
      'whoever writes that condition, or spec.verify.requiredConditions',
    ),
  DaemonSetNotUp: ({ pods, until }, now) =>
    passing(
      `${pods.length} pod${pods.length === 1 ? '' : 's'} of DaemonSets on it not Ready yet: ${listed(pods)} (at most ${duration(until - now)} more)`,
      'those pods getting Ready, or spec.verify.daemonSetsUp: false',
    ),
  HealthyFor: ({ until }, now) => passing(`everything has to hold for another ${duration(until - now)}`, 'time'),
  HookRunning: ({ job, says, until }, now) =>
    passing(`Job ${job} ${says} (at most ${duration(until - now)} more)`, 'the Job completing'),
  ActRefused: ({ what, message }) =>
    wait(`${what} was refused: ${message}`, 'the API server accepting it; examples/rbac.yaml lists the rights'),
  DeletingNode: () => passing('the API server has been asked to delete the node', 'the node being gone'),
  RebootFailed: ({ message }, _, by) => stranded(message, by),
  VerifyFailed: ({ message }, _, by) => stranded(message, by),
  HookFailed: ({ message }, _, by) => stranded(message, by),
  CordonFailed: ({ message }) =>
    wait(`the node could not be cordoned: ${message}`, 'the right to patch nodes, or the API server answering'),
  UndoFailed: ({ message }) =>
    wait(`it could not be handed back: ${message}`, 'the right to patch nodes and pods, or the API server answering'),
};

const protectedBecause = {
  NoController: {
    message: 'no controller would re-create it, so it would be lost',
    flag: '--force',
    field: 'barePods: Evict',
  },
  EmptyDir: {
    message: 'it keeps data in an emptyDir, which would be lost',
    flag: '--delete-emptydir-data',
    field: 'emptyDir: Evict',
  },
  DaemonSet: {
    message: 'its DaemonSet would put it back',
    flag: '--ignore-daemonsets',
    field: null, // a policy never protects them
  },
} as const;

function unprotect(pod: string, why: keyof typeof protectedBecause, by: Viewpoint | undefined): string {
  const { flag, field } = protectedBecause[why];
  const [namespace, name] = pod.split('/');
  // Elsewhere a deletion would go around the budgets.
  const remove = why !== 'NoController' ? [] : [`\`kubectl delete pod -n ${namespace} ${name}\``];
  const again = by?.of === 'Controller' ? [] : [`\`${flag}\``];
  const where =
    by?.of !== 'Controller'
      ? 'in the policy'
      : `in NodeMaintenance ${by.maintenance}${by.policy === null ? '' : `; in policy ${by.policy} for the next ones`}`;
  const set = field === null || by?.of === 'CommandLine' ? [] : [`spec.drain.${field} ${where}`];
  return [...again, ...remove, ...set].join(', or ');
}

/** Nothing is done any more: the node stays as it is until a person has looked. */
function stranded(message: string, by: Viewpoint | undefined): Explanation {
  return wait(
    `${message}; the node stays cordoned`,
    `looking at the machine; then \`drover cancel ${nodeOf(by)}\` hands it back once it is Ready`,
  );
}

function kubectlName(pod: string): string {
  const [namespace, name] = pod.split('/');
  return `-n ${namespace} ${name}`;
}

/** The scheduler's first sentence says why; those about claims and preemption follow, and end in a full stop. */
function schedulers(message: string): string {
  return message.replace(/[.,]? (no new claims to deallocate|preemption:).*$/s, '').replace(/\.$/, '');
}

function named(budget: BudgetNumbers): string {
  return `${budget.namespace}/${budget.name}`;
}

function healthy({ currentHealthy, desiredHealthy, expectedPods }: BudgetNumbers): string {
  return `${currentHealthy} of ${expectedPods} pods healthy, ${desiredHealthy} needed`;
}

function numbers(budget: BudgetNumbers): string {
  return `${healthy(budget)}, ${budget.disruptionsAllowed} disruptions allowed`;
}

function nodes(count: number): string {
  return count === 1 ? '1 node' : `${count} nodes`;
}

function areOut(names: readonly string[]): string {
  if (names.length === 0) return 'none is out';
  return `${listed(names)} ${names.length === 1 ? 'is' : 'are'} out`;
}
