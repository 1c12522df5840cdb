/** The door to a real API server: the beds' token, plain HTTPS, every answer as it came. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { createWallClock } from '../../src/lib/clock.ts';
import type { Bed } from '../beds/bed.ts';
import { files, tokenOf } from '../beds/credentials.ts';
import { type Answer, type Call, type Door, type Frame, type Watching, warningsOf } from './case.ts';

async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = '';
  incoming.setEncoding('utf8');
  for await (const chunk of incoming as AsyncIterable<string>) text += chunk;
  return text;
}

async function answerOf(incoming: IncomingMessage): Promise<Answer> {
  const body = await textOf(incoming);
  const { 'content-type': contentType = '', 'retry-after': retryAfter, warning } = incoming.headers;
  return {
    code: incoming.statusCode ?? 0,
    retryAfter,
    contentType,
    warnings: warningsOf(warning),
    body: contentType.includes('json') ? (JSON.parse(body) as unknown) : body,
  };
}

function readFrames(incoming: IncomingMessage): Watching {
  const frames: Frame[] = [];
  let rest = '';
  let over = false;
  incoming.setEncoding('utf8');
  incoming.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) frames.push(JSON.parse(line) as Frame);
  });
  incoming.on('error', () => (over = true));
  incoming.on('close', () => (over = true));
  return { code: 200, frames, ended: () => over, close: () => incoming.destroy() };
}

/** Sockets are kept until `close`. */
export function openRealDoor(bed: Bed): Door & { close(): void } {
  const ca = readFileSync(join(bed.folder, files.certificate));
  const agent = new Agent({ keepAlive: true, maxSockets: 64, ca });
  const watchAgent = new Agent({ ca });
  const authorization = `Bearer ${tokenOf(bed.folder, 'admin')}`;

  const open = (call: Call, through: Agent) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const query = new URLSearchParams(call.query).toString();
      const body = call.body === undefined || typeof call.body === 'string' ? call.body : JSON.stringify(call.body);
      const headers = {
        authorization,
        accept: call.accept ?? 'application/json',
        // Node sends the body of a DELETE without its length, and the server then takes it for the next request
        ...(body === undefined
          ? {}
          : { 'content-type': call.contentType ?? 'application/json', 'content-length': Buffer.byteLength(body) }),
      };
      const url = new URL(`${call.path}${query === '' ? '' : `?${query}`}`, bed.server);
      const sent = request(url, { method: call.method, headers, agent: through }, resolve);
      sent.on('error', reject);
      sent.end(body);
    });

  return {
    clock: createWallClock(),
    send: async (call) => answerOf(await open(call, agent)),
    async watch(call) {
      const incoming = await open({ ...call, query: { ...call.query, watch: 'true' } }, watchAgent);
      if (incoming.statusCode === 200) return readFrames(incoming);
      const refusal = await answerOf(incoming);
      return { code: refusal.code, refusal, frames: [], ended: () => true, close: () => {} };
    },
    close() {
      agent.destroy();
      watchAgent.destroy();
    },
  };
}
