/** Fields: the status apart, generations, defaults, what may not change, what is refused. */
import { daemonSet, deployment, job, node, statefulSet } from '../../beds/objects.ts';
import type { Case } from '../case.ts';
import { answered, at, must, pick, said } from '../look.ts';
import { budget, configMap, deserted, still, withoutNamespace } from '../stage.ts';

const web = (overrides: Readonly<Record<string, unknown>> = {}) => withoutNamespace(deployment('', 'web', 0, overrides));
const causes = (answer: Parameters<typeof said>[0]) => {
  const { code, reason, details } = said(answer);
  return { code, reason, fields: at(details, 'causes[].field'), reasons: at(details, 'causes[].reason') };
};

export const fields: readonly Case[] = [
  {
    name: 'the status is written by its subresource only, and the spec by the object only',
    async run(c) {
      await c.make(still('a'));
      const main = await c.patch('pods', 'a', { status: { phase: 'Running' }, metadata: { labels: { late: 'yes' } } });
      const sub = await c.patch('pods', 'a/status', {
        status: { message: 'x' },
        spec: { terminationGracePeriodSeconds: 5 },
        metadata: { labels: { later: 'yes' }, annotations: { note: 'x' } },
      });
      const show = [
        'status.phase',
        'status.message',
        'spec.terminationGracePeriodSeconds',
        'metadata.labels',
        'metadata.annotations',
      ];
      return { main: answered(main, ...show), sub: answered(sub, ...show) };
    },
  },
  {
    name: "a Deployment's status is not taken at its creation",
    run: async (c) =>
      answered(await c.create('deployments', { ...web(), status: { replicas: 9 } }), 'status', 'metadata.generation'),
  },
  {
    name: 'the generation rises with the spec alone',
    async run(c) {
      await c.make(web({ spec: { paused: true } }));
      const seen = [
        await c.patch('deployments', 'web', { metadata: { labels: { x: 'y' } } }),
        await c.patch('deployments', 'web', { spec: { minReadySeconds: 5 } }),
        await c.patch('deployments', 'web', { spec: { minReadySeconds: 5 } }),
        await c.patch('deployments', 'web/status', { status: { replicas: 3 } }),
        await c.patch('deployments', 'web', { metadata: { generation: 99 } }),
        await c.patch('deployments', 'web', { metadata: { annotations: { x: 'y' } } }),
      ];
      return seen.map((answer) => at(must(answer), 'metadata.generation'));
    },
  },
  {
    name: "generations of other kinds: a budget's, a pod's, a ConfigMap's, a Service's",
    async run(c) {
      await c.make(budget({ minAvailable: 1 }), still('a'), configMap('m'));
      const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } };
      await c.make(service);
      const look = async (kind: string, name: string) => at(must(await c.get(kind, name)), 'metadata.generation') ?? 'none';
      const before = [
        await look('poddisruptionbudgets', 'web'),
        await look('pods', 'a'),
        await look('configmaps', 'm'),
        await look('services', 's'),
      ];
      must(await c.patch('poddisruptionbudgets', 'web', { spec: { minAvailable: 2 } }));
      must(await c.remove('pods', 'a'));
      return { before, after: [await look('poddisruptionbudgets', 'web'), await look('pods', 'a')] };
    },
  },
  {
    name: 'selectors of workloads may not change',
    async run(c) {
      await c.make(
        web(),
        withoutNamespace(statefulSet('', 'db', 0)),
        withoutNamespace(daemonSet('', 'agent', { spec: { template: { spec: { nodeSelector: { none: 'none' } } } } })),
      );
      const selector = { matchLabels: { app: 'other' } };
      const spec = { selector, template: { metadata: { labels: { app: 'other' } } } };
      const seen: Record<string, unknown> = {};
      for (const [kind, name] of [
        ['deployments', 'web'],
        ['statefulsets', 'db'],
        ['daemonsets', 'agent'],
      ] as const)
        seen[kind] = said(await c.patch(kind, name, { spec }));
      return seen;
    },
  },
  {
    name: 'a StatefulSet may change its replicas and template, not its serviceName',
    async run(c) {
      await c.make(withoutNamespace(statefulSet('', 'db', 0)));
      return [
        said(await c.patch('statefulsets', 'db', { spec: { serviceName: 'other' } })),
        answered(await c.patch('statefulsets', 'db', { spec: { minReadySeconds: 3 } }), 'spec.minReadySeconds'),
      ];
    },
  },
  {
    name: 'selectors that do not fit their template are refused',
    run: async (c) => said(await c.create('deployments', web({ spec: { selector: { matchLabels: { app: 'other' } } } }))),
  },
  {
    name: 'a Job may not change its template',
    async run(c) {
      await c.make(withoutNamespace(job('', 'once', { spec: { suspend: true, parallelism: 0 } })));
      return causes(
        await c.patch('jobs', 'once', {
          spec: { completions: 5, template: { spec: { containers: [{ name: 'app', image: 'other' }] } } },
        }),
      );
    },
  },
  {
    name: "a Service's clusterIP may not change",
    async run(c) {
      await c.make({ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } });
      return causes(await c.patch('services', 's', { spec: { clusterIP: '10.96.77.77', clusterIPs: ['10.96.77.77'] } }));
    },
  },
  {
    name: 'a ConfigMap that is immutable stays as it is',
    async run(c) {
      await c.make(configMap('a', { immutable: true, data: { x: '1' } }));
      return said(await c.patch('configmaps', 'a', { data: { x: '2' } }));
    },
  },
  {
    name: 'a pod without containers or with broken ones is refused',
    run: async (c) => [
      causes(await c.create('pods', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: { containers: [] } })),
      causes(
        await c.create('pods', {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'a' },
          spec: { containers: [{ name: 'A', image: 'x' }, { name: 'b' }] },
        }),
      ),
      causes(
        await c.create(
          'pods',
          still('a', { spec: { restartPolicy: 'Sometimes', tolerations: [{ key: 'x', operator: 'Equal', effect: 'Never' }] } }),
        ),
      ),
      causes(
        await c.create(
          'pods',
          still('a', {
            spec: { containers: [{ name: 'app', image: 'x', resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }] },
          }),
        ),
      ),
    ],
  },
  {
    name: 'a pod gets its defaults',
    async run(c) {
      const made = must(
        await c.create('pods', {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'a' },
          spec: { nodeSelector: { case: 'none' }, containers: [{ name: 'app', image: 'app' }] },
        }),
      );
      return pick(
        made,
        'spec.restartPolicy',
        'spec.terminationGracePeriodSeconds',
        'spec.dnsPolicy',
        'spec.schedulerName',
        'spec.priority',
        'spec.preemptionPolicy',
        'spec.enableServiceLinks',
        'spec.tolerations',
        'spec.containers[0].imagePullPolicy',
        'spec.containers[0].terminationMessagePath',
        'status.phase',
        'status.qosClass',
        'metadata.generation',
      );
    },
  },
  {
    name: 'the quality of service follows from requests and limits',
    async run(c) {
      const resources = {
        none: {},
        some: { requests: { cpu: '1' } },
        all: { limits: { cpu: '1', memory: '1Gi' } },
        less: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } },
      };
      const seen: Record<string, unknown> = {};
      for (const [name, each] of Object.entries(resources)) {
        const made = must(
          await c.create('pods', still(name, { spec: { containers: [{ name: 'app', image: 'app', resources: each }] } })),
        );
        seen[name] = pick(made, 'status.qosClass', 'spec.containers[0].resources.requests');
      }
      return seen;
    },
  },
  {
    name: 'workloads get their defaults',
    async run(c) {
      const made = must(await c.create('deployments', web()));
      const set = must(await c.create('statefulsets', withoutNamespace(statefulSet('', 'db', 0))));
      const agent = must(
        await c.create(
          'daemonsets',
          withoutNamespace(daemonSet('', 'agent', { spec: { template: { spec: { nodeSelector: { none: 'none' } } } } })),
        ),
      );
      const once = must(await c.create('jobs', withoutNamespace(job('', 'once', { spec: { suspend: true } }))));
      const guard = must(await c.create('poddisruptionbudgets', budget({})));
      return {
        deployment: pick(made, 'spec.strategy', 'spec.revisionHistoryLimit', 'spec.progressDeadlineSeconds'),
        statefulSet: pick(
          set,
          'spec.podManagementPolicy',
          'spec.updateStrategy',
          'spec.revisionHistoryLimit',
          'spec.persistentVolumeClaimRetentionPolicy',
        ),
        daemonSet: pick(agent, 'spec.updateStrategy', 'spec.revisionHistoryLimit'),
        job: {
          ...pick(
            once,
            'spec.parallelism',
            'spec.completions',
            'spec.backoffLimit',
            'spec.completionMode',
            'spec.podReplacementPolicy',
          ),
          labels: Object.keys(at(once, 'spec.template.metadata.labels') as object).sort(),
        },
        budget: pick(guard, 'spec'),
      };
    },
  },
  {
    name: 'an unknown field is warned of, dropped, or refused, as fieldValidation says',
    async run(c) {
      const body = { ...configMap('a'), colour: 'red' };
      const warn = await c.create('configmaps', body, { dryRun: 'All' });
      const ignore = await c.create('configmaps', body, { dryRun: 'All', fieldValidation: 'Ignore' });
      const strict = await c.create('configmaps', body, { dryRun: 'All', fieldValidation: 'Strict' });
      return {
        warn: { code: warn.code, warnings: warn.warnings, kept: at(warn.body, 'colour') ?? 'no' },
        ignore: { code: ignore.code, warnings: ignore.warnings },
        strict: said(strict),
      };
    },
  },
  {
    name: 'a node is born with the taint of one that is not ready, and without a phase of its own',
    async run(c) {
      const name = `${c.namespace}-x`;
      const made = must(await c.create('nodes', deserted(name)));
      must(await c.remove('nodes', name));
      return pick(made, 'spec.taints');
    },
  },
  {
    name: 'a node with a broken taint is refused',
    run: async (c) =>
      causes(await c.create('nodes', node(`${c.namespace}-x`, { spec: { taints: [{ key: 'bad key', effect: 'Never' }] } }))),
  },
  {
    name: 'a scale is read and written on its own',
    async run(c) {
      await c.make(web({ spec: { paused: true } }));
      const read = answered(await c.get('deployments', 'web/scale'), 'kind', 'apiVersion', 'spec', 'status.selector');
      const merged = answered(await c.patch('deployments', 'web/scale', { spec: { replicas: 2 } }), 'spec');
      const scale = must(await c.get('deployments', 'web/scale')) as { metadata: object };
      // without a version, as the controller writes too
      const { name, namespace } = scale.metadata as Record<string, string>;
      const put = answered(
        await c.put('deployments', 'web/scale', { ...scale, metadata: { name, namespace }, spec: { replicas: 3 } }),
        'spec',
      );
      const negative = causes(await c.patch('deployments', 'web/scale', { spec: { replicas: -1 } }));
      const none = said(await c.get('configmaps', 'web/scale'));
      return {
        read,
        merged,
        put,
        negative,
        none: none['code'],
        spec: at(must(await c.get('deployments', 'web')), 'spec.replicas'),
      };
    },
  },
  {
    name: 'a binding puts a pod onto a node, once',
    async run(c) {
      await c.make(still('a', { spec: { nodeName: null, schedulerName: 'nobody' } }));
      const body = (name: string) => ({
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'a' },
        target: { apiVersion: 'v1', kind: 'Node', name },
      });
      const bind = (name: string) => c.send({ method: 'POST', path: `${c.collection('pods')}/a/binding`, body: body(name) });
      const first = await bind('nowhere');
      const pod = must(await c.get('pods', 'a'));
      return {
        first: first.body,
        pod: pick(pod, 'spec.nodeName', 'status.conditions[type=PodScheduled].status'),
        again: said(await bind('elsewhere')),
      };
    },
  },
];
