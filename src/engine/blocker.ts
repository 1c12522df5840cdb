/**
 * Every reason for which something does not happen now. One union feeds the status, the events, the metric label, `drover why`
 * and the dashboard; `explain.ts` gives each its sentence and what would unblock it.
 */
import type { Millis } from '../lib/clock.ts';

export interface BudgetNumbers {
  readonly namespace: string;
  readonly name: string;
  readonly currentHealthy: number;
  readonly desiredHealthy: number;
  readonly expectedPods: number;
  readonly disruptionsAllowed: number;
}

/** Pods are named "namespace/name", owners "ReplicaSet/name". */
export type Blocker =
  // why a node does not start
  | { readonly cause: 'Paused'; readonly because: string }
  | { readonly cause: 'PolicyPaused'; readonly policy: string }
  | { readonly cause: 'PolicyMissing'; readonly policy: string }
  | { readonly cause: 'MaxNodes'; readonly policy: string; readonly limit: number; readonly out: readonly string[] }
  | {
      readonly cause: 'GroupLimit';
      readonly policy: string;
      readonly label: string;
      readonly value: string;
      readonly limit: number;
      readonly out: readonly string[];
    }
  | { readonly cause: 'NodeTaken'; readonly by: string }
  | { readonly cause: 'MinInterval'; readonly policy: string; readonly until: Millis }
  | {
      readonly cause: 'MassTrigger';
      readonly policy: string;
      readonly matched: number;
      readonly selected: number;
      readonly limit: number;
    }
  | {
      readonly cause: 'OutsideWindow';
      readonly policy: string;
      readonly opensAt: Millis;
      readonly timeZone: string;
      /** The dates that are excluded now; empty where it is only not yet time. */
      readonly because: string;
    }
  | {
      readonly cause: 'WindowTooShort';
      readonly policy: string;
      readonly until: Millis;
      readonly timeZone: string;
      /** How long a drain is expected to take. */
      readonly expectMs: Millis;
      /** When a window begins that is long enough. */
      readonly fitsAt: Millis;
    }
  /** expectMs: none is as long; null: none opens any more. */
  | { readonly cause: 'NoWindow'; readonly policy: string; readonly expectMs: Millis | null }
  | { readonly cause: 'BackOff'; readonly until: Millis; readonly attempt: number; readonly because: string }
  | { readonly cause: 'ControlPlaneLimit'; readonly policy: string; readonly limit: number; readonly out: readonly string[] }
  /** A limit of the controller, over all policies. */
  | {
      readonly cause: 'ClusterLimit';
      readonly limit: number;
      readonly out: readonly string[];
      /** "zone=a"; null: the whole cluster. */
      readonly group: string | null;
    }
  | { readonly cause: 'BreakerOpen'; readonly policy: string; readonly since: Millis; readonly failures: number }
  // gates: `gate` is its name, or its place in spec.gates
  /** It is being asked. */
  | { readonly cause: 'GateAsked'; readonly policy: string; readonly gate: string }
  /** It cannot be asked, and so counts as closed. */
  | {
      readonly cause: 'GateUnanswered';
      readonly policy: string;
      readonly gate: string;
      readonly message: string;
      readonly since: Millis;
    }
  /** node: where they are; null: anywhere. */
  | {
      readonly cause: 'GatePods';
      readonly policy: string;
      readonly gate: string;
      readonly node: string | null;
      readonly pods: readonly string[];
    }
  | {
      readonly cause: 'GateAlerts';
      readonly policy: string;
      readonly gate: string;
      readonly from: 'Prometheus' | 'Alertmanager';
      readonly alerts: readonly string[];
    }
  | { readonly cause: 'GateQuery'; readonly policy: string; readonly gate: string; readonly result: string }
  | { readonly cause: 'GateHttp'; readonly policy: string; readonly gate: string; readonly found: string }
  /** what: that is not well; empty: all is, but not for long enough, which it will be at `until`. */
  | {
      readonly cause: 'GateNotSettled';
      readonly policy: string;
      readonly gate: string;
      readonly what: readonly string[];
      readonly until: Millis | null;
    }
  /** stale: the last one that was given, too long ago. */
  | {
      readonly cause: 'GateApproval';
      readonly policy: string;
      readonly gate: string;
      readonly validForMs: Millis;
      readonly stale: { readonly by: string; readonly at: Millis } | null;
    }
  // why a pod does not go
  | { readonly cause: 'BudgetExhausted'; readonly pod: string; readonly owner: string; readonly budget: BudgetNumbers }
  | { readonly cause: 'BudgetNeverAllows'; readonly pod: string; readonly owner: string; readonly budget: BudgetNumbers }
  | {
      readonly cause: 'BudgetNotComputed';
      readonly pod: string;
      readonly owner: string;
      readonly budget: BudgetNumbers;
      readonly message: string;
    }
  | { readonly cause: 'BudgetStale'; readonly pod: string; readonly owner: string; readonly budget: BudgetNumbers }
  | { readonly cause: 'SeveralBudgets'; readonly pod: string; readonly owner: string; readonly budgets: readonly string[] }
  | { readonly cause: 'ProtectedPod'; readonly pod: string; readonly owner: string; readonly why: ProtectedWhy }
  | { readonly cause: 'WaitCompleted'; readonly pod: string; readonly owner: string; readonly until: Millis | null }
  | { readonly cause: 'EarlierTier'; readonly pod: string; readonly tier: string; readonly remaining: number }
  | { readonly cause: 'Terminating'; readonly pod: string; readonly owner: string; readonly until: Millis }
  | { readonly cause: 'TerminatingOverdue'; readonly pod: string; readonly owner: string; readonly since: Millis }
  | { readonly cause: 'Finalizer'; readonly pod: string; readonly finalizers: readonly string[] }
  | { readonly cause: 'NamespaceTerminating'; readonly pod: string; readonly message: string }
  | { readonly cause: 'Throttled'; readonly pod: string; readonly until: Millis }
  | { readonly cause: 'Forbidden'; readonly pod: string; readonly message: string }
  | { readonly cause: 'EvictionRefused'; readonly pod: string; readonly message: string }
  | { readonly cause: 'ApiUnavailable'; readonly pod: string; readonly message: string }
  | { readonly cause: 'InFlight'; readonly pod: string }
  | { readonly cause: 'NotYetSeen'; readonly what: string }
  // handover
  | { readonly cause: 'HandoverReleasing'; readonly pod: string; readonly owner: string }
  | { readonly cause: 'ReplacementMissing'; readonly pod: string; readonly owner: string }
  | {
      readonly cause: 'ReplacementNotReady';
      readonly pod: string;
      readonly owner: string;
      readonly replacement: string;
      readonly why: string;
    }
  | {
      readonly cause: 'ReplacementNoRoom';
      readonly pod: string;
      readonly owner: string;
      readonly replacement: string;
      readonly message: string;
    }
  | { readonly cause: 'ReplacementSettling'; readonly pod: string; readonly until: Millis }
  | { readonly cause: 'Unlisting'; readonly pod: string; readonly services: readonly string[] }
  // why an empty node is not finished
  | { readonly cause: 'NotEmptyLongEnough'; readonly until: Millis }
  | { readonly cause: 'VolumesAttached'; readonly volumes: readonly string[] }
  | { readonly cause: 'NotSettled'; readonly owners: readonly string[]; readonly until: Millis }
  // why what is done to the empty node is not finished
  | { readonly cause: 'CannotReboot'; readonly why: string }
  | { readonly cause: 'RebootDelay'; readonly until: Millis }
  /** `says`: how the pod stands. */
  | { readonly cause: 'WaitingForReboot'; readonly pod: string; readonly says: string; readonly until: Millis }
  | { readonly cause: 'StoppingReboot'; readonly pod: string }
  | { readonly cause: 'NotReadyYet'; readonly until: Millis | null }
  | { readonly cause: 'ConditionMissing'; readonly type: string; readonly status: string; readonly until: Millis }
  | { readonly cause: 'DaemonSetNotUp'; readonly pods: readonly string[]; readonly until: Millis }
  | { readonly cause: 'HealthyFor'; readonly until: Millis }
  | { readonly cause: 'HookRunning'; readonly job: string; readonly says: string; readonly until: Millis }
  | { readonly cause: 'ActRefused'; readonly what: string; readonly message: string }
  | { readonly cause: 'DeletingNode' }
  | { readonly cause: 'RebootFailed'; readonly message: string }
  | { readonly cause: 'VerifyFailed'; readonly message: string }
  | { readonly cause: 'HookFailed'; readonly message: string }
  | { readonly cause: 'CordonFailed'; readonly message: string }
  | { readonly cause: 'UndoFailed'; readonly message: string };

export type BlockerCause = Blocker['cause'];

export type ProtectedWhy = 'NoController' | 'EmptyDir' | 'DaemonSet';
