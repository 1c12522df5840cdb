/** Generated Pods and Nodes, in the JSON form of the API server. */
import fc from 'fast-check';

const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,12}$/);
const labelKey = fc.constantFrom('app', 'tier', 'pod-template-hash', 'topology.kubernetes.io/zone', 'x.example/y');
const labels = fc.dictionary(labelKey, fc.stringMatching(/^[A-Za-z0-9._-]{0,8}$/), { maxKeys: 4 });
const text = fc.string({ unit: 'binary', maxLength: 20 }).map((value) => value.replace(/[\ud800-\udfff]/g, 'ü'));
const instant = fc
  .integer({ min: 1, max: 4_000_000_000 })
  .map((seconds) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'));
const optional = { requiredKeys: [] as [] };

const metadata = (annotationKeys: string[]) =>
  fc
    .record(
      {
        labels,
        annotations: fc.dictionary(fc.constantFrom(...annotationKeys), text),
        deletionTimestamp: instant,
        deletionGracePeriodSeconds: fc.nat(600),
        ownerReferences: fc.array(fc.record({ kind: name, name, uid: fc.uuid(), controller: fc.boolean() }), { maxLength: 2 }),
        finalizers: fc.array(name, { maxLength: 2 }),
      },
      optional,
    )
    .chain((some) =>
      fc
        .record({
          name,
          namespace: name,
          uid: fc.uuid(),
          resourceVersion: fc.nat().map(String),
          creationTimestamp: fc.option(instant),
        })
        .map((all) => ({
          ...some,
          ...all,
        })),
    );

const selector = fc.record(
  {
    matchLabels: labels,
    matchExpressions: fc.array(
      fc.record({ key: labelKey, operator: fc.constantFrom('In', 'Exists'), values: fc.array(name, { maxLength: 2 }) }),
      { maxLength: 2 },
    ),
  },
  optional,
);
const term = fc.record(
  { labelSelector: selector, matchLabelKeys: fc.array(labelKey), mismatchLabelKeys: fc.array(labelKey) },
  optional,
);
const affinity = fc.record(
  {
    requiredDuringSchedulingIgnoredDuringExecution: fc.array(term, { maxLength: 2 }),
    preferredDuringSchedulingIgnoredDuringExecution: fc.array(fc.record({ podAffinityTerm: term }), { maxLength: 2 }),
  },
  optional,
);
const container = fc.record(
  {
    ports: fc.array(fc.record({ hostPort: fc.nat(65_535) }, optional), { maxLength: 3 }),
    restartPolicy: fc.constantFrom('Always', 'Never'),
  },
  optional,
);
const containerStatus = fc.record({ state: fc.record({ waiting: fc.record({ reason: text }) }, optional) }, optional);
const condition = (types: string[]) =>
  fc
    .record({ reason: text, message: text, lastTransitionTime: fc.option(instant) }, optional)
    .chain((some) =>
      fc
        .record({ type: fc.constantFrom(...types), status: fc.constantFrom('True', 'False', 'Unknown') })
        .map((all) => ({ ...some, ...all })),
    );

export const pod = fc.record({
  metadata: metadata(['drover.dev/handover', 'drover.dev/labels', 'kubernetes.io/config.mirror', 'fat.example/x']),
  spec: fc.record(
    {
      nodeName: name,
      terminationGracePeriodSeconds: fc.nat(100_000),
      priority: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      priorityClassName: name,
      volumes: fc.array(
        fc.oneof(
          fc.record({ name, emptyDir: fc.constant({}) }),
          fc.record({ name, persistentVolumeClaim: fc.record({ claimName: name }) }),
          fc.record({ name, ephemeral: fc.constant({}) }),
          fc.record({ name }),
        ),
        { maxLength: 4 },
      ),
      containers: fc.array(container, { maxLength: 2 }),
      initContainers: fc.array(container, { maxLength: 2 }),
      affinity: fc.record({ podAffinity: affinity, podAntiAffinity: affinity }, optional),
      topologySpreadConstraints: fc.array(fc.record({ labelSelector: selector, matchLabelKeys: fc.array(labelKey) }, optional), {
        maxLength: 2,
      }),
    },
    optional,
  ),
  status: fc.record(
    {
      phase: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
      conditions: fc.array(
        fc.oneof(
          condition(['Ready', 'PodScheduled', 'Initialized']),
          fc.constant({ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' }),
        ),
        { maxLength: 4 },
      ),
      containerStatuses: fc.array(containerStatus, { maxLength: 2 }),
      initContainerStatuses: fc.array(containerStatus, { maxLength: 2 }),
    },
    optional,
  ),
});

export const node = fc.record({
  metadata: metadata(['a.example/b', 'note', 'drover.dev/cordon']),
  spec: fc.record(
    {
      unschedulable: fc.boolean(),
      taints: fc.array(
        fc
          .record({ value: name, timeAdded: instant }, optional)
          .chain((some) =>
            fc.record({ key: labelKey, effect: fc.constantFrom('NoSchedule', 'NoExecute') }).map((all) => ({ ...some, ...all })),
          ),
        { maxLength: 3 },
      ),
    },
    optional,
  ),
  status: fc.record({
    conditions: fc.array(condition(['Ready', 'DiskPressure', 'VMEventScheduled']), { maxLength: 4 }),
    nodeInfo: fc.record({
      bootID: fc.uuid(),
      kernelVersion: name,
      osImage: name,
      containerRuntimeVersion: name,
      kubeletVersion: name,
    }),
  }),
});
