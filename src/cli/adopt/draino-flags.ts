import { type FlagTable, goesTo, hasNone } from './flag-table.ts';

/** The flags of draino (planetlabs), and `conditions`: what it takes as arguments. */
export const drainoFlags: FlagTable = {
  conditions: goesTo('', 'spec.reasons[].condition', 'Ready=Unknown,10m is type, status and for'),
  debug: hasNone('false', 'drover controller --log-level debug'),
  listen: hasNone(':10002', 'drover controller --metrics-address'),
  kubeconfig: hasNone('', 'drover controller has the same flag'),
  master: hasNone('', 'drover controller --server'),
  'dry-run': goesTo('false', 'spec.paused', 'and drover plan shows what would be done'),
  'max-grace-period': hasNone(
    '8m0s',
    'a pod’s own grace is kept; spec.drain.gracePeriodSeconds sets one for all, a ladder shortens it late',
  ),
  'eviction-headroom': hasNone('30s', 'nothing is given up after a time: spec.drain.stepAside needs no headroom'),
  'drain-buffer': goesTo('10m0s', 'spec.disruption.minInterval'),
  'node-label': goesTo('', 'spec.nodeSelector'),
  'node-label-expr': hasNone('', 'write it as spec.nodeSelector, or as an expression of a Drift reason'),
  namespace: hasNone('', 'the Lease is in the namespace of the controller'),
  'leader-election-lease-duration': hasNone('15s', 'fixed'),
  'leader-election-renew-deadline': hasNone('10s', 'fixed'),
  'leader-election-retry-period': hasNone('2s', 'fixed'),
  'leader-election-token-name': hasNone('draino', 'fixed'),
  'skip-drain': hasNone('false', 'a cordon without a drain helps nobody; pause the policy instead'),
  'evict-daemonset-pods': goesTo('false', 'spec.drain.daemonSets', 'Evict'),
  'evict-emptydir-pods': goesTo('false', 'spec.drain.emptyDir', 'Protect where it is false'),
  'evict-unreplicated-pods': goesTo('false', 'spec.drain.barePods', 'Protect where it is false'),
  'protected-pod-annotation': hasNone('', 'rules select by label: give the pods one, and a rule with do: Skip or WaitCompleted'),
};

/** What ektopistis reads beside its watch. */
export const ektopistisFlags: FlagTable = {
  'drain-taint': goesTo('ektopistis.io/drain', 'spec.reasons[].taint'),
  'drain-taint-name': goesTo('ektopistis.io/drain', 'spec.reasons[].taint'),
};
