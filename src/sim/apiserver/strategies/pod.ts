/** Pods (kubernetes pkg/registry/core/pod/strategy.go). */
import { conditionOf, isPodFinished } from '../../conditions.ts';
import type { Condition, Pod } from '../../kubernetes.ts';
import { same } from '../../store/same.ts';
import { changing, filled, having, mapped } from './fill.ts';
import { admittedSpec, defaultTolerations, qualityOf, qualityOfService } from './pod-admission.ts';
import { podSpec } from './pod-defaults.ts';
import { podErrors, podStatusErrors, podUpdateErrors } from './pod-validation.ts';
import type { Server, Strategy } from './strategy.ts';

const gated: Condition = {
  type: 'PodScheduled',
  status: 'False',
  lastProbeTime: null,
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
};

function statusOf(pod: Pod, server: Server): Pod['status'] {
  if (!pod.spec) return { phase: 'Pending' };
  const { initContainers, containers, schedulingGates } = pod.spec;
  const qosClass = initContainers || !containers ? qualityOfService(pod.spec) : qualityOf(containers);
  const conditions = schedulingGates?.length ? [{ ...gated, lastTransitionTime: server.now() }] : undefined;
  return { phase: 'Pending', ...(conditions && { conditions }), qosClass };
}

/** What a writer leaves out of a status it read before: a kubelet of an older release knows no observedGeneration. */
function prepareStatus(next: Pod, current: Pod): Pod {
  const { status: before = {} } = current;
  return changing(next, 'status', (given: NonNullable<Pod['status']>) => {
    let status = given;
    if (before.qosClass) status = filled(status, { qosClass: before.qosClass });
    if (before.observedGeneration) status = filled(status, { observedGeneration: before.observedGeneration });
    return changing(status, 'conditions', (list: readonly Condition[]) =>
      mapped(list, (condition) => {
        const observed = conditionOf(before.conditions, condition.type)?.observedGeneration;
        return observed ? filled(condition, { observedGeneration: observed }) : condition;
      }),
    );
  });
}

export const pods: Strategy<Pod> = {
  newGeneration: (next, current) => !same(next.spec, current.spec),
  statusProtects: ['ownerReferences'],
  newStatus: statusOf,
  defaults: (pod) => (pod.spec ? having(pod, 'spec', podSpec(pod.spec)) : pod),
  admit: (pod, server) => (pod.spec ? { ...pod, spec: admittedSpec(pod, server) } : pod),
  // A PUT that leaves out what admission put in does not take it away.
  prepareUpdate: (next, current) => {
    if (next.spec === current.spec) return next;
    const { priority = current.spec.priority, preemptionPolicy = current.spec.preemptionPolicy } = next.spec;
    const tolerations = defaultTolerations(next.spec.tolerations);
    const spec = {
      ...next.spec,
      tolerations,
      ...(priority !== undefined && { priority }),
      ...(preemptionPolicy !== undefined && { preemptionPolicy }),
    };
    return { ...next, spec };
  },
  prepareStatus,
  validate: podErrors,
  validateUpdate: podUpdateErrors,
  validateStatus: podStatusErrors,
  grace: (pod, { gracePeriodSeconds }) =>
    !pod.spec.nodeName || isPodFinished(pod) ? 0 : (gracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 0),
};
