import { describe, expect, it } from 'vitest';
import { type KubeClient, KubeError, type KubeRequest } from '../../kube/client.ts';
import { nodes } from '../../kube/kinds.ts';
import { reflect } from '../../kube/reflector.ts';
import { silentLog } from '../../lib/log.ts';
import { createDoorBed, type DoorBed } from '../testing/door-bed.ts';
import { Failure } from './failure.ts';
import { createInProcessClient, type InProcessClient, type InProcessOptions } from './in-process.ts';

const PODS = '/api/v1/namespaces/default/pods';

function connect(bed: DoorBed, more: Partial<InProcessOptions> = {}): InProcessClient {
  return createInProcessClient({ handle: bed.handle, clock: bed.clock, userAgent: 'drover/1', ...more });
}

const get = (path: string): KubeRequest => ({ method: 'GET', path });

async function errorOf(promise: Promise<unknown>): Promise<KubeError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof KubeError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('json', () => {
  it('hands out the server’s own object, but never before the caller has let go', async () => {
    const bed = createDoorBed();
    const client = connect(bed);
    const answer = client.json(get(`${PODS}/a`));
    bed.pod('a');
    expect(await answer).toBe(bed.readPod('a'));
  });

  it('sends bodies as JSON would: own objects, without undefined fields', async () => {
    const bed = createDoorBed();
    const body = { metadata: { name: 'a', labels: { x: 'y', z: undefined } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    await connect(bed).json({ method: 'POST', path: PODS, body });
    body.metadata.labels.x = 'changed';
    expect(bed.readPod('a')?.metadata.labels).toStrictEqual({ x: 'y' });
  });

  it('rejects with the error that a client over HTTP would make', async () => {
    const error = await errorOf(connect(createDoorBed()).json(get(`${PODS}/a`)));
    expect([error.code, error.reason, error.status?.details?.name]).toEqual([404, 'NotFound', 'a']);
    expect(error.message).toBe('GET /api/v1/namespaces/default/pods/a failed with 404: pods "a" not found');
  });

  it('tells Retry-After', async () => {
    const error = await errorOf(connect(createDoorBed()).json({ ...get(PODS), query: { resourceVersion: 999 } }));
    expect([error.code, error.retryAfterMs]).toEqual([504, 1000]);
  });
});

describe('hooks', () => {
  it('can delay a request in the time of the simulation, until its limit', async () => {
    const bed = createDoorBed();
    const client = connect(bed, { before: () => bed.clock.sleep(5_000) });
    let done = false;
    const answer = client.json(get(PODS)).then(() => {
      done = true;
    });
    await bed.pass(4);
    expect(done).toBe(false);
    await bed.pass(1);
    await answer;
    const error = errorOf(client.json({ ...get(PODS), timeoutMs: 3_000 }));
    await bed.pass(3);
    expect([(await error).code, (await error).reason]).toEqual([0, 'Timeout']);
  });

  it('can refuse as the server does, or cut the connection', async () => {
    const bed = createDoorBed();
    const busy = connect(bed, {
      before: () => {
        throw new Failure(429, 'TooManyRequests', 'busy', { retryAfterSeconds: 2 });
      },
    });
    expect(await errorOf(busy.json(get(PODS)))).toMatchObject({ code: 429, retryAfterMs: 2000 });
    const cut = connect(bed, {
      before: () => {
        throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
      },
    });
    expect(await errorOf(cut.json(get(PODS)))).toMatchObject({ code: 0, reason: 'Cut' });
  });

  it('can lose the answer of a write that was made', async () => {
    const bed = createDoorBed();
    bed.pod('a');
    const client = connect(bed, {
      after: () => {
        throw new Error('lost');
      },
    });
    const path = `${PODS}/a`;
    expect((await errorOf(client.json({ method: 'DELETE', path }))).code).toBe(0);
    expect(bed.readPod('a')).toBeUndefined();
  });

  it('are left by an aborted request with the reason of its signal', async () => {
    const bed = createDoorBed();
    const controller = new AbortController();
    const answer = connect(bed, { before: () => bed.clock.sleep(1_000) }).json({ ...get(PODS), signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(answer).rejects.toBe(reason);
  });
});

describe('stream', () => {
  it('gives a watch line by line, and ends when it is destroyed', async () => {
    const bed = createDoorBed();
    bed.pod('a');
    const client = connect(bed);
    const { body, contentType } = await client.stream({ ...get(PODS), query: { watch: true } });
    expect([contentType, client.openStreams.size]).toEqual(['application/json', 1]);
    bed.pod('b');
    const lines: string[] = [];
    for await (const chunk of body as AsyncIterable<Buffer>) {
      lines.push(...chunk.toString().trim().split('\n'));
      if (lines.length === 2) break;
    }
    expect(lines.map((line) => JSON.parse(line).object.metadata.name)).toEqual(['a', 'b']);
    expect(client.openStreams.size).toBe(0);
  });

  it('gives a list in one piece, and a list that fails as an error', async () => {
    const bed = createDoorBed();
    const { body } = await connect(bed).stream(get(PODS));
    const chunks: Buffer[] = [];
    for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk);
    expect(JSON.parse(Buffer.concat(chunks).toString()).kind).toBe('PodList');
    expect((await errorOf(connect(bed).stream(get('/api/v1/none')))).code).toBe(404);
  });

  it('breaks as a connection does when it is cut', async () => {
    const bed = createDoorBed();
    const client = connect(bed);
    const { body } = await client.stream({ ...get(PODS), query: { watch: true } });
    for (const stream of client.openStreams) stream.cut();
    await expect(body[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('feeds the reflector of the real client: list, changes, and a cut watch', async () => {
    const bed = createDoorBed();
    bed.node('n1');
    const client = connect(bed);
    const reflector = reflect({ client, kind: nodes, clock: bed.clock, log: silentLog, random: () => 0.5 });
    await bed.pass(1);
    await reflector.synced;
    bed.node('n2');
    await bed.pass(1);
    expect([...reflector.items()].map(({ name }) => name)).toEqual(['n1', 'n2']);
    for (const stream of client.openStreams) stream.cut();
    bed.api.remove(nodesKind(bed), '', 'n1');
    await bed.pass(30);
    expect([...reflector.items()].map(({ name }) => name)).toEqual(['n2']);
    await reflector.stop();
    expect(client.openStreams.size).toBe(0);
  });

  it('gives the reflector the same by its events as by its text', async () => {
    const bed = createDoorBed();
    const { events: _, ...textual } = connect(bed);
    const told = (client: KubeClient) => {
      const changes: string[] = [];
      const reflector = reflect({
        client,
        kind: nodes,
        clock: bed.clock,
        log: silentLog,
        random: () => 0.5,
        onChange: ({ type, object }) => void changes.push(`${type} ${object.name} ${object.resourceVersion}`),
      });
      return { reflector, changes };
    };
    bed.node('n1');
    const both = [told(connect(bed)), told(textual)];
    await bed.pass(1);
    bed.node('n2');
    bed.api.remove(nodesKind(bed), '', 'n1');
    await bed.pass(1);
    const [byEvents, byText] = both.map(({ changes }) => changes);
    expect(byEvents).toHaveLength(3);
    expect(byEvents).toEqual(byText);
    for (const { reflector } of both) await reflector.stop();
  });
});

const nodesKind = (bed: DoorBed) => {
  const kind = bed.api.findKind('', 'v1', 'nodes');
  if (!kind) throw new Error('nodes are not served');
  return kind;
};

describe('events', () => {
  it('are the server’s own objects, after the caller has been let go', async () => {
    const bed = createDoorBed();
    const a = bed.pod('a');
    const seen: object[] = [];
    const stop = await connect(bed).events(
      { ...get(PODS), query: { watch: true } },
      ({ object }) => void seen.push(object),
      () => undefined,
    );
    await bed.pass(0);
    expect(seen[0]).toBe(a);
    const b = bed.pod('b');
    expect(seen[1]).toBe(b);
    stop();
    bed.pod('c');
    expect(seen).toHaveLength(2);
  });

  it('end when the server ends them, or with an error when they are cut', async () => {
    const bed = createDoorBed();
    const client = connect(bed);
    const ends: (Error | undefined)[] = [];
    const open = () =>
      client.events(
        { ...get(PODS), query: { watch: true, timeoutSeconds: 5 } },
        () => undefined,
        (error) => void ends.push(error),
      );
    await open();
    await bed.pass(6);
    expect(ends).toEqual([undefined]);
    await open();
    for (const stream of client.openStreams) stream.cut();
    expect(ends[1]).toMatchObject({ code: 'ECONNRESET' });
  });
});
