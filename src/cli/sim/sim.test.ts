import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWallClock } from '../../lib/clock.ts';
import type { Host } from '../program.ts';
import type { SimulationSettings } from '../simulation.ts';
import { cli } from '../testing/run-cli.ts';

const KUBECONFIG = 'apiVersion: v1\nkind: Config\ncurrent-context: drover-sim\n';
const SCENARIO = 'pools: [{name: web, count: 2}]\nseed: 5\n';

let home: string;
let server: Server;
let url: string;
/** What /version and the load door answer. */
let answers: Record<string, { code: number; body: object }>;
let requests: string[];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'drover-sim-'));
  answers = { '/version': { code: 200, body: {} } };
  requests = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      requests.push(`${request.method} ${request.url} ${body}`.trim());
      const answer = answers[request.url ?? ''] ?? { code: 404, body: {} };
      response.writeHead(answer.code, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  rmSync(home, { recursive: true, force: true });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const record = (name = 'sim') => join(home, 'drover', 'sim', `${name}.json`);
const kubeconfig = (name = 'sim') => join(home, 'drover', 'sim', `${name}.kubeconfig`);

function write(name: string, text: string): string {
  const path = join(home, name);
  writeFileSync(path, text);
  return path;
}

/** A host on which a simulated cluster comes up at `url`, and runs until `whileUp` is through. */
function host(whileUp: () => void | Promise<void> = () => {}) {
  const started: SimulationSettings[] = [];
  const ended: number[] = [];
  const stop = new AbortController();
  let isOpen = false;
  const changed: Partial<Host> = {
    env: { XDG_STATE_HOME: home },
    clock: createWallClock(),
    interrupts: () => stop.signal,
    startSimulation: (settings) => {
      started.push(settings);
      isOpen = true;
      // As Ctrl-C would, once all is told.
      setImmediate(() => void Promise.resolve(whileUp()).finally(() => stop.abort()));
      return Promise.resolve({
        url,
        kubeconfig: KUBECONFIG,
        nodes: 6,
        traffic: () => [],
        close: () => {
          isOpen = false;
          return Promise.resolve();
        },
      });
    },
    processes: {
      start: () => {
        throw new Error('no process is started here');
      },
      isAlive: () => true,
      end: (pid) => {
        ended.push(pid);
        rmSync(record());
      },
    },
  };
  return { changed, started, ended, isOpen: () => isOpen };
}

/** What a cluster of process 4711 has left in the state directory. */
function running(): void {
  mkdirSync(join(home, 'drover', 'sim'), { recursive: true });
  writeFileSync(record(), JSON.stringify({ pid: 4_711, url, kubeconfig: kubeconfig() }));
  writeFileSync(kubeconfig(), KUBECONFIG);
}

describe('sim up', () => {
  it('says where the cluster is, writes its kubeconfig, and leaves nothing when it ends', async () => {
    const seen: string[] = [];
    const { changed, started, isOpen } = host(() => {
      seen.push(readFileSync(kubeconfig(), 'utf8'), readFileSync(record(), 'utf8'));
      expect(statSync(kubeconfig()).mode & 0o777).toBe(0o600);
    });
    const { code, out, err } = await cli(['sim', 'up'], undefined, changed);
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(
      `simulated cluster "sim" is up at ${url} with 6 nodes\n  export KUBECONFIG=${kubeconfig()}\n  kubectl get nodes\nCtrl-C ends it.\n`,
    );
    expect(seen).toEqual([KUBECONFIG, `${JSON.stringify({ pid: process.pid, url, kubeconfig: kubeconfig() })}\n`]);
    expect([existsSync(record()), existsSync(kubeconfig()), isOpen()]).toEqual([false, false, false]);
    expect(started).toMatchObject([
      { port: 0, speed: 1, seed: 1, scenario: { pools: [{ count: 6, zones: ['zone-a', 'zone-b', 'zone-c'] }] } },
    ]);
  });

  it('takes a scenario, and the flags over it', async () => {
    const { changed, started } = host();
    const file = write('s.yaml', SCENARIO);
    const argv = ['sim', 'up', file, '--port', '8443', '--speed=10x', '--seed', '9', '-o', 'json', '--name', 'two'];
    const { code, out } = await cli(argv, undefined, changed);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ name: 'two', pid: process.pid, url, kubeconfig: kubeconfig('two') });
    expect(started).toMatchObject([
      { port: 8_443, speed: 10, seed: 9, source: file, scenario: { seed: 5, pools: [{ name: 'web' }] } },
    ]);
  });

  it('takes manifests, on nodes of its own', async () => {
    const { changed, started } = host();
    const file = write('m.yaml', 'apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n');
    expect(await cli(['sim', 'up', file, '--nodes', '2'], undefined, changed)).toMatchObject({ code: 0, err: '' });
    expect(started).toMatchObject([{ seed: 1, scenario: { pools: [{ count: 2 }], objects: [{ kind: 'Namespace' }] } }]);
  });

  it.each([
    ['a file that is not there', ['nothing.yaml'], 1, 'error: nothing.yaml: no such file\n'],
    ['two files', ['a', 'b'], 2, 'error: name one file at most\nsee: drover sim up --help\n'],
    ['a port', ['--port', '70000'], 2, 'error: --port must be at most 65535, not 70000\nsee: drover sim up --help\n'],
    ['a speed', ['--speed', 'fast'], 2, /^error: option '--speed <factor>' argument 'fast' is invalid\. It must be a number/],
    ['a name', ['--name', '../x'], 2, /^error: option '--name <name>' argument/],
    ['a seed', ['--seed', 'x'], 2, 'error: --seed must be a whole number, not "x"\nsee: drover sim up --help\n'],
  ])('refuses %s in one line, and starts nothing', async (_, argv, expected, line) => {
    const { changed, started } = host();
    const { code, err, out } = await cli(['sim', 'up', ...argv], undefined, changed);
    expect([code, out, started]).toEqual([expected, '', []]);
    expect(err).toEqual(typeof line === 'string' ? line : expect.stringMatching(line));
    expect(existsSync(join(home, 'drover'))).toBe(false);
  });

  it('refuses a scenario that names an unknown pool, and says which there are', async () => {
    const { changed, started } = host();
    const file = write('s.yaml', `${SCENARIO}workloads: [{name: a, pool: wbe}]`);
    const { code, err } = await cli(['sim', 'up', file], undefined, changed);
    expect([code, err, started]).toEqual([1, `error: ${file}: workloads[0].pool: "wbe" is not a pool; there are: web\n`, []]);
  });

  it('refuses a second one of the same name', async () => {
    running();
    const { code, err } = await cli(['sim', 'up'], undefined, host().changed);
    expect([code, err]).toEqual([
      1,
      `error: a simulated cluster "sim" runs already at ${url} (pid 4711); stop it with: drover sim down, or give this one another --name\n`,
    ]);
  });

  it('goes over what a killed one has left', async () => {
    running();
    const { changed } = host();
    answers = {};
    expect(await cli(['sim', 'up'], undefined, changed)).toMatchObject({ code: 0, err: '' });
  });

  it('does not write over a kubeconfig of somebody else', async () => {
    const own = write('config', 'apiVersion: v1\nkind: Config\ncurrent-context: production\n');
    const { code, err } = await cli(['sim', 'up', '--kubeconfig-out', own], undefined, host().changed);
    expect([code, err]).toEqual([
      1,
      `error: ${own} is there already and is not the kubeconfig of a simulated cluster; choose another --kubeconfig-out\n`,
    ]);
    expect(readFileSync(own, 'utf8')).toContain('production');
  });

  it('tells that it could not start, and leaves nothing', async () => {
    const { CommandError } = await import('../errors.ts');
    const { changed } = host();
    const busy = () => Promise.reject(new CommandError('127.0.0.1:80 is in use'));
    const { code, err } = await cli(['sim', 'up'], undefined, { ...changed, startSimulation: busy });
    expect([code, err, existsSync(record()), existsSync(kubeconfig())]).toEqual([
      1,
      'error: 127.0.0.1:80 is in use\n',
      false,
      false,
    ]);
  });
});

describe('sim up --detach', () => {
  const background = (then: (log: string) => boolean) => {
    const argvs: (readonly string[])[] = [];
    const processes: Host['processes'] = {
      start(argv, log) {
        argvs.push(argv);
        const hasEnded = then(log);
        return { pid: 4_711, hasEnded: () => hasEnded };
      },
      isAlive: () => true,
      end: () => {},
    };
    return { argvs, changed: { ...host().changed, processes } };
  };

  it('returns when the other process has come up', async () => {
    const { argvs, changed } = background(() => {
      writeFileSync(record(), JSON.stringify({ pid: 4_711, url, kubeconfig: kubeconfig() }));
      return false;
    });
    const file = write('s.yaml', SCENARIO);
    const { code, out } = await cli(['sim', 'up', file, '-d', '--speed', '5'], undefined, changed);
    expect(code).toBe(0);
    expect(out).toContain(`is up at ${url}\n`);
    expect(out).toContain('It runs in the background; stop it with: drover sim down\n');
    expect(argvs).toEqual([['sim', 'up', file, '--name=sim', '--nodes=6', '--port=0', '--speed=5']]);
  });

  it('says why the other process has not come up', async () => {
    const { changed } = background((log) => {
      writeFileSync(log, 'something else\nerror: 127.0.0.1:80 is in use; choose another one\n');
      return true;
    });
    const { code, err } = await cli(['sim', 'up', '-d', '--port=80'], undefined, changed);
    expect([code, err]).toEqual([1, 'error: 127.0.0.1:80 is in use; choose another one\n']);
  });

  it('refuses a broken file before it starts another process', async () => {
    const { argvs, changed } = background(() => true);
    const { code } = await cli(['sim', 'up', write('s.yaml', 'pools: ['), '-d'], undefined, changed);
    expect([code, argvs]).toEqual([1, []]);
  });
});

describe('sim down', () => {
  it('ends the process and waits for it', async () => {
    running();
    const { changed, ended } = host();
    const { code, out } = await cli(['sim', 'down'], undefined, changed);
    expect([code, out, ended]).toEqual([0, 'simulated cluster "sim" is down\n', [4_711]]);
  });

  it('has nothing to do where none runs', async () => {
    const { changed, ended } = host();
    const { code, out } = await cli(['sim', 'down'], undefined, changed);
    expect([code, out, ended]).toEqual([0, 'no simulated cluster "sim" is running\n', []]);
  });

  it('does not end a stranger who has the pid of a cluster that was killed', async () => {
    running();
    answers = {};
    const { changed, ended } = host();
    const { out } = await cli(['sim', 'down'], undefined, changed);
    expect([out, ended, existsSync(record())]).toEqual(['no simulated cluster "sim" is running\n', [], false]);
  });
});

describe('sim load', () => {
  it('hands the file to the cluster and says what it has made of it', async () => {
    running();
    answers['/simulation/load'] = { code: 201, body: { nodes: 2, objects: 1, events: 0 } };
    const file = write('s.yaml', SCENARIO);
    const { code, out } = await cli(['sim', 'load', file], undefined, host().changed);
    expect([code, out]).toEqual([0, `loaded ${file}: 2 nodes, 1 object\n`]);
    expect(requests.at(-1)).toBe(`POST /simulation/load ${JSON.stringify({ file, text: SCENARIO })}`);
  });

  it('says what the cluster refuses, line by line', async () => {
    running();
    const causes = [{ message: 's.yaml: pools[1].name: is required' }];
    const body = { kind: 'Status', code: 422, message: 's.yaml: pools[0].name: is required', details: { causes } };
    answers['/simulation/load'] = { code: 422, body };
    const { code, err } = await cli(['sim', 'load', write('s.yaml', '')], undefined, host().changed);
    expect([code, err]).toEqual([1, 'error: s.yaml: pools[0].name: is required\nerror: s.yaml: pools[1].name: is required\n']);
  });

  it.each([
    [['sim', 'load'], 'error: name one file\nsee: drover sim load --help\n'],
    [['sim', 'load', 'x.yaml'], 'error: x.yaml: no such file\n'],
  ])('is refused without a file: %s', async (argv, line) => {
    expect((await cli(argv, undefined, host().changed)).err).toBe(line);
  });

  it('needs a cluster that runs', async () => {
    const { code, err } = await cli(['sim', 'load', write('s.yaml', SCENARIO), '--name', 'b'], undefined, host().changed);
    expect([code, err]).toEqual([1, 'error: no simulated cluster "b" is running; start one with: drover sim up --name b\n']);
  });
});

describe('sim kubeconfig', () => {
  it('prints the file, or its path', async () => {
    running();
    expect((await cli(['sim', 'kubeconfig'], undefined, host().changed)).out).toBe(KUBECONFIG);
    expect((await cli(['sim', 'kubeconfig', '--path'], undefined, host().changed)).out).toBe(`${kubeconfig()}\n`);
  });
});
