/** The door to a simulated cluster of its own: straight to what answers HTTP requests, in virtual time. */
import { createVirtualClock, type VirtualClock } from '../../src/lib/clock.ts';
import { parseBody } from '../../src/sim/apiserver/body.ts';
import { administrator, type ApiAnswer, type ApiRequest, type Handle } from '../../src/sim/apiserver/door.ts';
import { Failure } from '../../src/sim/apiserver/failure.ts';
import { refusal } from '../../src/sim/apiserver/status.ts';
import { createSimulatedCluster } from '../../src/sim/cluster.ts';
import { instantSteps } from '../../src/sim/kubelet/timing.ts';
import { type Answer, type Call, type Door, type Frame, REMEMBERED, warningsOf } from './case.ts';

/** What a client makes of what is sent: no shared objects, no fields that are undefined. */
const wire = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

function requestOf(call: Call, query: Readonly<Record<string, string>> = {}): ApiRequest {
  const { body, contentType = 'application/json' } = call;
  const text = body === undefined || typeof body === 'string' ? (body ?? '') : JSON.stringify(body);
  return {
    method: call.method,
    path: call.path,
    query: new URLSearchParams({ ...call.query, ...query }),
    accept: call.accept ?? 'application/json',
    user: administrator,
    userAgent: 'conformance',
    ...(body === undefined ? {} : { contentType, body: parseBody(Buffer.from(text), contentType) }),
  };
}

function ask(handle: Handle, call: Call, query?: Readonly<Record<string, string>>): ApiAnswer {
  try {
    return handle(requestOf(call, query));
  } catch (error) {
    if (error instanceof Failure) return refusal(error);
    throw error;
  }
}

function answerOf(answer: ApiAnswer): Answer {
  if ('watch' in answer) throw new Error('a watch came where one answer was asked for');
  const header = (name: string) => Object.entries(answer.headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1];
  const isText = 'text' in answer;
  return {
    code: answer.code,
    retryAfter: header('retry-after'),
    contentType: header('content-type') ?? (isText ? answer.contentType : 'application/json'),
    warnings: warningsOf(header('warning')),
    body: isText ? answer.text.toString() : wire(answer.body),
  };
}

export interface SimulatedDoor extends Door {
  readonly clock: VirtualClock;
  stop(): void;
}

/** Kubelets start and stop pods at once, as the control-plane bed's do; everything else takes its usual time. */
export function openSimulatedDoor(start: number): SimulatedDoor {
  const clock = createVirtualClock(start);
  const { handle, stop } = createSimulatedCluster({
    clock,
    history: REMEMBERED,
    kubelets: { steps: instantSteps },
    events: true,
  });
  // the answer to a request comes later than the request, and never in the middle of what somebody else does
  const turn = () => new Promise<void>((resolve) => clock.soon(resolve));
  return {
    clock,
    stop,
    async send(call) {
      await turn();
      return answerOf(ask(handle, call));
    },
    async watch(call) {
      await turn();
      const answer = ask(handle, call, { watch: 'true' });
      if (!('watch' in answer)) {
        const refused = answerOf(answer);
        return { code: refused.code, refusal: refused, frames: [], ended: () => true, close: () => {} };
      }
      const frames: Frame[] = [];
      let over = false;
      const close = answer.watch.start(
        (event) => frames.push(wire(event)),
        () => (over = true),
      );
      return { code: 200, frames, ended: () => over, close };
    },
  };
}
