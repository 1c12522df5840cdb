/** Runs a whole command line in this process, against a small API server of the test's own. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NOW } from '../../../test/builders.ts';
import { anonymousAccess } from '../../kube/access.ts';
import { connect } from '../../kube/request.ts';
import { createVirtualClock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import type { AgentConfig } from '../agent-config.ts';
import type { ControllerConfig } from '../controller-config.ts';
import { type Host, runCli } from '../program.ts';
import { fakeTerminal } from './fake-terminal.ts';

export interface FakeApi {
  readonly url: string;
  /** "PATCH /api/v1/nodes/a?dryRun=All {"spec":...}", in order; reads are not noted. */
  readonly changes: readonly string[];
  stop(): Promise<void>;
}

/** Answers GETs from `objects` by path (a function sees the query); anything else is "not found". Changes are noted and answered with {}. */
export async function fakeApi(
  objects: Readonly<Record<string, object | ((query: URLSearchParams) => object)>>,
): Promise<FakeApi> {
  const changes: string[] = [];
  const server: Server = createServer((request, response) => {
    const { pathname, searchParams, search } = new URL(request.url ?? '', 'http://api');
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const found = objects[pathname];
      const isRead = request.method === 'GET';
      if (!isRead) changes.push(`${request.method} ${pathname}${search} ${body}`.trim());
      const missing = {
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        reason: 'NotFound',
        code: 404,
        message: `${pathname} not found`,
      };
      response.writeHead(!isRead || found ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(isRead ? (typeof found === 'function' ? found(searchParams) : (found ?? missing)) : {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    changes,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What the controller was started with. */
  readonly started: ControllerConfig | null;
  /** What the agent was started with. */
  readonly startedAgent: AgentConfig | null;
}

/** No terminal, time stands at NOW, user ann on laptop. */
export async function cli(argv: readonly string[], api?: FakeApi, changed: Partial<Host> = {}): Promise<CliRun> {
  const stdout = fakeTerminal({ isTTY: false, columns: 0 });
  const stderr = fakeTerminal({ isTTY: false, columns: 0 });
  let started: ControllerConfig | null = null;
  let startedAgent: AgentConfig | null = null;
  const code = await runCli(argv, {
    program: 'drover',
    version: '1.2.3',
    env: {},
    stdout,
    stderr,
    clock: createVirtualClock(NOW),
    random: () => 0.5,
    identity: () => 'cli:ann@laptop',
    connect: () =>
      api
        ? Promise.resolve(connect(anonymousAccess(api.url), { userAgent: 'test', log: silentLog }))
        : Promise.reject(new Error('this test has no API server')),
    connectTo: (url) => Promise.resolve(connect(anonymousAccess(url), { userAgent: 'test', log: silentLog })),
    startSimulation: () => Promise.reject(new Error('this test has no simulated cluster')),
    processes: {
      start: () => {
        throw new Error('this test starts no process');
      },
      isAlive: () => false,
      end: (pid) => {
        throw new Error(`this test must not end process ${pid}`);
      },
    },
    interrupts: () => new AbortController().signal,
    atExit: () => () => {},
    startController: (config) => {
      started = config;
      return Promise.resolve(0);
    },
    startAgent: (config) => {
      startedAgent = config;
      return Promise.resolve(0);
    },
    ...changed,
  });
  return { code, out: stdout.written, err: stderr.written, started, startedAgent };
}
