import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { crds, definitions } from '../../../src/api/crd.ts';
import { API_GROUP, GROUP_VERSION } from '../../../src/api/names.ts';
import type { MaintenancePolicy, NodeMaintenance } from '../../../src/api/resources.ts';
import { parseMaintenance, parsePolicy } from '../../../src/api/validate.ts';
import { type KubeClient, KubeError } from '../../../src/kube/client.ts';
import { loadAccess } from '../../../src/kube/kubeconfig.ts';
import { connect } from '../../../src/kube/request.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { until } from '../../beds/api-call.ts';
import { type ControlPlane, startControlPlane } from '../../beds/control-plane.ts';

interface BadObject {
  readonly title: string;
  readonly kind: string;
  readonly spec: object;
  readonly path: string;
  readonly message?: string;
  /** The server refuses it only with strict validation, in another form. */
  readonly unknown?: boolean;
}

const badObjects = parseYaml(readFileSync(new URL('../../golden/bad-objects.yaml', import.meta.url), 'utf8')) as BadObject[];

let bed: ControlPlane;
let client: KubeClient;

const collections = new Map(definitions.map(({ kind, plural }) => [kind, `/apis/${GROUP_VERSION}/${plural}`]));
const collection = (kind: string) => collections.get(kind) ?? expect.fail(`no kind ${kind}`);
const nodeMaintenance = (name: string) => `${collection('NodeMaintenance')}/${name}`;
const object = (kind: string, name: string, spec: object) => ({ apiVersion: GROUP_VERSION, kind, metadata: { name }, spec });

function create<T>(kind: string, name: string, spec: object, dryRun = true): Promise<T> {
  const query = { fieldValidation: 'Strict', ...(dryRun && { dryRun: 'All' }) };
  return client.json<T>({ method: 'POST', path: collection(kind), query, body: object(kind, name, spec) });
}

function mergePatch<T>(path: string, body: object): Promise<T> {
  return client.json<T>({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
}

/** What the server complains of: its causes, or for unknown fields (which it refuses while decoding) its message. */
async function refusal(sent: Promise<unknown>): Promise<{ field: string; message: string }[]> {
  const error: unknown = await sent.then(
    () => expect.fail('the API server accepted it'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof KubeError)) throw error;
  const unknown = [...(error.status?.message ?? '').matchAll(/unknown field "([^"]+)"/g)];
  if (unknown.length > 0) return unknown.map(([, field = '']) => ({ field, message: 'unknown field' }));
  return (error.status?.details?.causes ?? []).map(({ field = '', message = '' }) => ({ field, message }));
}

beforeAll(async () => {
  bed = await startControlPlane({ kwok: false, scheduler: false });
  client = connect(loadAccess({ kubeconfig: bed.kubeconfig, env: {} }), { userAgent: 'drover-test', log: silentLog });
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  for (const crd of crds()) await client.json({ method: 'POST', path, query: { fieldValidation: 'Strict' }, body: crd });
  // Established comes a moment before the handler serves the kind.
  for (const { kind } of definitions)
    await until(`${kind} to be served`, () => client.json({ method: 'GET', path: collection(kind) }));
});

afterAll(async () => {
  client?.close();
  await bed?.stop();
});

describe('the CRDs', () => {
  it.each(definitions.map(({ plural }) => plural))('of %s are Established and structural', async (plural) => {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${API_GROUP}`;
    const crd = await client.json<{ status: { conditions: { type: string; status: string }[] } }>({ method: 'GET', path });
    const conditions = new Map(crd.status.conditions.map(({ type, status }) => [type, status]));
    expect(Object.fromEntries(conditions)).toEqual({ NamesAccepted: 'True', Established: 'True' });
  });

  it('survive a round trip: the server keeps every keyword that we generate', async () => {
    for (const sent of crds() as { metadata: { name: string }; spec: { versions: { schema: unknown }[] } }[]) {
      const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${sent.metadata.name}`;
      const kept = await client.json<typeof sent>({ method: 'GET', path });
      expect(kept.spec.versions[0]?.schema).toEqual(sent.spec.versions[0]?.schema);
    }
  });
});

describe('objects that must be refused', () => {
  for (const { title, kind, spec, path, message } of badObjects) {
    it(`${kind}: ${title}`, async () => {
      const causes = await refusal(create(kind, 'bad', spec));
      expect(causes.map((cause) => cause.field)).toContain(path);
      if (message !== undefined) expect(causes.find((cause) => cause.field === path)?.message).toContain(message);
    });
  }
});

describe('defaults', () => {
  it('of a policy are those of the parser', async () => {
    const spec = {
      nodeSelector: {},
      reasons: [{ type: 'Condition', condition: { type: 'Broken' } }],
      drain: { rules: null, settle: {} },
    };
    const stored = await create<MaintenancePolicy>('MaintenancePolicy', 'defaults', spec);
    const here = parsePolicy(object('MaintenancePolicy', 'defaults', spec));
    const [{ nodeSelector: _, ...there }, { nodeSelector: __, ...expected }] = [
      stored.spec,
      here.ok ? here.value.spec : expect.fail(),
    ];
    expect(there).toEqual(expected);
  });

  it('of a maintenance are those of the parser', async () => {
    const stored = await create<NodeMaintenance>('NodeMaintenance', 'defaults', { nodeName: 'worker-1' });
    const here = parseMaintenance(object('NodeMaintenance', 'defaults', { nodeName: 'worker-1' }));
    expect(stored.spec).toEqual(here.ok && here.value.spec);
  });
});

describe('changes of a maintenance', () => {
  beforeAll(() => create('NodeMaintenance', 'moving', { nodeName: 'worker-1' }, false));

  it('cannot give it another node', async () => {
    const [cause] = await refusal(mergePatch(nodeMaintenance('moving'), { spec: { nodeName: 'worker-2' } }));
    expect(cause).toMatchObject({
      field: 'spec.nodeName',
      message: expect.stringContaining('a maintenance stays with its node'),
    });
  });

  it('cannot take a cancellation back, not even by removing the field', async () => {
    await mergePatch(nodeMaintenance('moving'), { spec: { cancelled: true } });
    for (const cancelled of [false, null]) {
      const [cause] = await refusal(mergePatch(nodeMaintenance('moving'), { spec: { cancelled } }));
      expect(cause).toMatchObject({ field: 'spec.cancelled', message: expect.stringContaining('cannot be taken up again') });
    }
  });

  it('of its status go through the subresource only', async () => {
    const phase = (maintenance: NodeMaintenance) => maintenance.status?.phase;
    expect(phase(await mergePatch(nodeMaintenance('moving'), { status: { phase: 'Failed' } }))).toBeUndefined();
    expect(phase(await mergePatch(`${nodeMaintenance('moving')}/status`, { status: { phase: 'Draining' } }))).toBe('Draining');
  });
});

describe('reading', () => {
  beforeAll(() => create('NodeMaintenance', 'listed', { nodeName: 'worker-7', reason: { message: 'new kernel' } }, false));

  it('selects maintenances by their node', async () => {
    const query = { fieldSelector: 'spec.nodeName=worker-7' };
    const list = await client.json<{ items: NodeMaintenance[] }>({ method: 'GET', path: collection('NodeMaintenance'), query });
    expect(list.items.map((item) => item.metadata.name)).toEqual(['listed']);
  });

  it('prints node, phase, progress and what is waited for', async () => {
    const progress = { total: 30, evicted: 14, gone: 12, remaining: 18, percent: 40, summary: '12/30' };
    const waitingFor = { cause: 'BudgetExhausted', message: 'm', since: '2026-11-21T14:02:00Z', unblock: 'u' };
    await mergePatch(`${nodeMaintenance('listed')}/status`, { status: { phase: 'Draining', progress, waitingFor } });
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const table = await client.json<{ columnDefinitions: { name: string }[]; rows: { cells: unknown[] }[] }>({
      method: 'GET',
      path: nodeMaintenance('listed'),
      accept,
    });
    const cells = Object.fromEntries(table.columnDefinitions.map(({ name }, index) => [name, table.rows[0]?.cells[index]]));
    expect(cells).toMatchObject({
      Node: 'worker-7',
      Phase: 'Draining',
      Progress: '12/30',
      'Waiting For': 'BudgetExhausted',
      Reason: 'new kernel',
    });
  });
});
