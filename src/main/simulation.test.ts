import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Simulation, SimulationSettings } from '../cli/simulation.ts';
import { LOAD_PATH, TRAFFIC_PATH } from '../sim/scenario/simulation-door.ts';
import { readScenario } from '../sim/scenario/read.ts';
import type { ScenarioInput } from '../sim/scenario/schema.ts';
import { startSimulation } from './simulation.ts';

const open: Simulation[] = [];

afterEach(async () => {
  for (const simulation of open.splice(0)) await simulation.close();
});

async function start(input: ScenarioInput, more: Partial<SimulationSettings> = {}): Promise<Simulation> {
  const settings = { scenario: readScenario(input, 'x'), source: 'x', port: 0, speed: 1_000, seed: 1, ...more };
  const simulation = await startSimulation(settings);
  open.push(simulation);
  return simulation;
}

const pools = [{ name: 'web', count: 2 }];
const namesAt = async (url: string, path: string): Promise<string[]> => {
  const answer = await fetch(url + path);
  const { items } = (await answer.json()) as { items: { metadata: { name: string } }[] };
  return items.map(({ metadata }) => metadata.name);
};

async function load(url: string, text: string): Promise<{ code: number; body: unknown }> {
  const body = JSON.stringify({ file: 'more.yaml', text });
  const answer = await fetch(url + LOAD_PATH, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  return { code: answer.status, body: await answer.json() };
}

describe('startSimulation', () => {
  it('serves the cluster of a scenario', async () => {
    const { url, kubeconfig, nodes } = await start({ pools, workloads: [{ name: 'shop', service: {} }] });
    expect([nodes, kubeconfig.includes(url)]).toEqual([2, true]);
    expect(await namesAt(url, '/api/v1/nodes')).toEqual(['web-1', 'web-2']);
    expect(await namesAt(url, '/apis/apps/v1/namespaces/default/deployments')).toEqual(['shop']);
  });

  it('says in one line that its port is in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(start({ pools }, { port })).rejects.toThrow(new RegExp(`^[^\n]*127\\.0\\.0\\.1:${port} is in use[^\n]*$`));
    await new Promise((resolve) => other.close(resolve));
  });

  it('says in one line what the API server refuses of a scenario', async () => {
    const objects = [{ apiVersion: 'v1', kind: 'Nothing', metadata: { name: 'a' } }];
    await expect(start({ pools, objects })).rejects.toThrow(/^x: Nothing a: the simulated cluster has no kind "Nothing" in v1;/);
  });

  it('takes more while it runs, which may name the pools that there are', async () => {
    const { url } = await start({ pools });
    const text = 'pools: [{name: db, count: 1}]\nworkloads: [{name: a, pool: [web, db]}]';
    expect(await load(url, text)).toEqual({ code: 201, body: { nodes: 1, objects: 1, events: 0 } });
    expect(await namesAt(url, '/api/v1/nodes')).toEqual(['db-1', 'web-1', 'web-2']);
  });

  it('takes all of a file or nothing', async () => {
    const { url } = await start({ pools });
    const good = '{apiVersion: v1, kind: ConfigMap, metadata: {name: good}}';
    const twice = await load(url, `${good}\n---\n${good}`);
    expect(twice).toMatchObject({ code: 422, body: { message: 'more.yaml: ConfigMap good: configmaps "good" already exists' } });
    expect(await namesAt(url, '/api/v1/namespaces/default/configmaps')).toEqual([]);
    expect(await load(url, 'pools: [{name: web, count: 1}]\nworkloads: [{name: a, pool: wbe}]')).toMatchObject({
      code: 422,
      body: {
        message: 'more.yaml: pools[0].name: "web" is there twice',
        details: { causes: [{ message: 'more.yaml: workloads[0].pool: "wbe" is not a pool; there are: web' }] },
      },
    });
    expect(await namesAt(url, '/api/v1/nodes')).toEqual(['web-1', 'web-2']);
  });

  it('tells of its traffic', async () => {
    const { url, traffic } = await start({ pools, workloads: [{ name: 'shop', service: { rate: 10 } }] });
    const answer = await fetch(url + TRAFFIC_PATH);
    expect([answer.status, Array.isArray(traffic())]).toEqual([200, true]);
    expect(await answer.json()).toEqual({ items: expect.any(Array) });
    expect((await fetch(url + TRAFFIC_PATH, { method: 'DELETE' })).status).toBe(405);
  });

  it('says what is wrong with a request that is not one', async () => {
    const { url } = await start({ pools });
    expect((await fetch(url + LOAD_PATH)).status).toBe(405);
    expect((await fetch(url + LOAD_PATH, { method: 'POST', body: '[]' })).status).toBe(400);
  });
});
