/** Policies and applicants for the tests of admission. */
import type { Node } from '../src/api/objects.ts';
import {
  type AdmissionInput,
  type AdmissionPolicy,
  type Applicant,
  decideAdmission,
  noClusterLimits,
} from '../src/engine/admission.ts';
import { aNode, NOW } from './builders.ts';

export const nodes = (count: number, overrides: (index: number) => Partial<Node> = () => ({})) =>
  Array.from({ length: count }, (_, index) => aNode({ name: `n-${String(index).padStart(4, '0')}`, ...overrides(index) }));

export const anAdmissionPolicy = (overrides: Partial<AdmissionPolicy> = {}): AdmissionPolicy => ({
  name: 'p',
  paused: false,
  maxNodes: { count: 1 },
  perGroup: [],
  minIntervalMs: 0,
  massTrigger: { percent: 100 },
  selected: [],
  matchedByCondition: 0,
  lastStart: null,
  schedule: null,
  expectMs: null,
  controlPlane: { count: 1 },
  breaker: null,
  gates: [],
  approval: null,
  ...overrides,
});

export const applying = (node: Node, overrides: Partial<Applicant> = {}): Applicant => ({
  id: `m-${node.name}`,
  node,
  policy: 'p',
  priority: 0,
  since: NOW,
  byCondition: false,
  anyTime: false,
  ...overrides,
});

export function admit(
  policies: readonly AdmissionPolicy[],
  applicants: readonly Applicant[],
  more: Partial<AdmissionInput> = {},
) {
  const admissions = decideAdmission({
    policies: new Map(policies.map((policy) => [policy.name, policy])),
    applicants,
    active: new Set(),
    drained: new Set(),
    cluster: policies.flatMap(({ selected }) => selected),
    limits: noClusterLimits,
    gates: () => ({ blocker: null, wakeAt: null, approval: null }),
    now: NOW,
    ...more,
  });
  return {
    admissions,
    started: admissions.filter((each) => each.blocker === null).map((each) => each.id),
    blockerOf: (id: string) => admissions.find((each) => each.id === id)?.blocker ?? null,
  };
}
