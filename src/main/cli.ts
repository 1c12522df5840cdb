/** The entry point of `drover` and `kubectl-drover`: makes everything real and lets src/cli do the rest. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { basename } from 'node:path';
import { CommandError, exitCode } from '../cli/errors.ts';
import type { GlobalValues } from '../cli/command.ts';
import { runCli } from '../cli/program.ts';
import type { Terminal } from '../cli/screen.ts';
import type { Processes } from '../cli/simulation.ts';
import type { KubeClient } from '../kube/client.ts';
import { createWallClock, type Millis } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';

// oxlint-disable-next-line no-underscore-dangle -- set apart from every name of ours
declare const __DROVER_VERSION__: string | undefined; // set by scripts/build.mjs

const version = typeof __DROVER_VERSION__ === 'string' ? __DROVER_VERSION__ : 'development';
const clock = createWallClock();

/** @throws CommandError when the kubeconfig does not lead anywhere. */
async function connect(flags: GlobalValues, log: Log): Promise<KubeClient> {
  // Loaded only here: a command that needs no cluster, like --help, must not wait for TLS.
  const [{ accessFor }, { connect: open }] = await Promise.all([import('./connect.ts'), import('../kube/request.ts')]);
  const client = open(accessFor(flags, clock), { userAgent: `drover/${version}`, log, clock });
  return flags.requestTimeout > 0 ? withTimeout(client, flags.requestTimeout) : client;
}

function withTimeout(client: KubeClient, timeoutMs: Millis): KubeClient {
  return {
    server: client.server,
    json: (request) => client.json({ ...request, timeoutMs }),
    stream: (request) => client.stream(request),
    close: () => client.close(),
  };
}

function terminal(stream: NodeJS.WriteStream): Terminal {
  return {
    isTTY: stream.isTTY,
    get columns() {
      return stream.columns ?? 0;
    },
    get rows() {
      return stream.rows ?? 0;
    },
    write: (text) => void stream.write(text),
    onResize(callback) {
      stream.on('resize', callback);
      return () => void stream.off('resize', callback);
    },
  };
}

function listenForInterrupts(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(exitCode.interrupted);
      controller.abort(new CommandError('interrupted', { exitCode: exitCode.interrupted }));
    });
  }
  return controller.signal;
}

const processes: Processes = {
  start(argv, logFile) {
    const log = openSync(logFile, 'a', 0o600);
    // As this one was started: with the same interpreter flags (tsx, in development).
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...argv], {
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    let ended = false;
    child.on('error', () => (ended = true));
    child.on('exit', () => (ended = true));
    child.unref();
    return { pid: child.pid ?? -1, hasEnded: () => ended };
  },
  isAlive(pid) {
    try {
      return process.kill(pid, 0);
    } catch (error) {
      // Alive, and somebody else's.
      return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
  },
  end: (pid) => void process.kill(pid, 'SIGTERM'),
};

/** Who runs it; a container may run under a uid that has no name. */
function identity(): string {
  let user: string;
  try {
    user = userInfo().username;
  } catch {
    user = `uid-${process.getuid?.() ?? 'unknown'}`;
  }
  return `cli:${user}@${hostname()}`;
}

// `drover status | head` closes the pipe early; that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? exitCode.ok : exitCode.error));

const code = await runCli(process.argv.slice(2), {
  program: basename(process.argv[1] ?? '').startsWith('kubectl-drover') ? 'kubectl drover' : 'drover',
  version,
  env: process.env,
  stdout: terminal(process.stdout),
  stderr: terminal(process.stderr),
  clock,
  random: Math.random,
  identity,
  connect,
  interrupts: listenForInterrupts,
  atExit(callback) {
    process.once('exit', callback);
    return () => void process.off('exit', callback);
  },
  connectTo: async (url, log) => {
    const [{ anonymousAccess }, { connect: open }] = await Promise.all([
      import('../kube/access.ts'),
      import('../kube/request.ts'),
    ]);
    return open(anonymousAccess(url), { userAgent: `drover/${version}`, log, clock });
  },
  startSimulation: async (settings) => (await import('./simulation.ts')).startSimulation(settings),
  processes,
  startController: async (config, deps) => (await import('./controller.ts')).startController(config, deps),
  startAgent: async (config, deps) => (await import('./agent.ts')).startAgent(config, deps),
});
// What has been written is flushed first; then nothing that is still open may keep a script waiting.
process.stderr.write('', () => process.stdout.write('', () => process.exit(code)));
