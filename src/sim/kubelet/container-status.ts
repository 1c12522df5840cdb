/** What happens to one container, as changes of its status. */
import { copyOf } from '../copy.ts';
import type { ContainerStatus } from '../kubernetes.ts';

type Statuses = readonly ContainerStatus[];

export interface Run {
  readonly containerID: string;
  /** Past its startup probe. */
  readonly started: boolean;
  readonly ready: boolean;
}

export function isRunning(status: ContainerStatus): boolean {
  return status.state?.running !== undefined;
}

/** `again` counts a restart; the end of the run before becomes the last state. */
export function started(status: ContainerStatus, now: string, run: Run): ContainerStatus {
  const ended = status.state?.terminated;
  const again = ended !== undefined || status.lastState?.terminated !== undefined;
  const next = copyOf(status);
  next.state = { running: { startedAt: now } };
  next.lastState = ended ? { terminated: ended } : (status.lastState ?? {});
  next.restartCount = again ? status.restartCount + 1 : status.restartCount;
  next.imageID = `sim.drover.dev/${status.image ?? ''}`;
  next.containerID = run.containerID;
  next.started = run.started;
  next.ready = run.ready;
  return next;
}

/** Exit code 0 reads "Completed", any other "Error", as containerd reports them. */
export function exited(status: ContainerStatus, exitCode: number, now: string, reason?: string): ContainerStatus {
  const startedAt = status.state?.running?.startedAt;
  return {
    ...status,
    ready: false,
    started: false,
    state: {
      terminated: {
        exitCode,
        reason: reason ?? (exitCode === 0 ? 'Completed' : 'Error'),
        ...(startedAt !== undefined && { startedAt }),
        finishedAt: now,
        ...(status.containerID !== undefined && { containerID: status.containerID }),
      },
    },
  };
}

/** Between two runs, after more than one exit: back-off, with the end of the run before as the last state. */
export function backingOff(status: ContainerStatus, message: string): ContainerStatus {
  const { terminated } = status.state ?? {};
  return {
    ...status,
    ready: false,
    started: false,
    state: { waiting: { reason: 'CrashLoopBackOff', message } },
    lastState: terminated ? { terminated } : (status.lastState ?? {}),
  };
}

/** The list with some changed; the same list when none is. */
export function mapStatuses(statuses: Statuses, change: (status: ContainerStatus) => ContainerStatus): Statuses {
  let changed = false;
  const next = statuses.map((status) => {
    const after = change(status);
    changed ||= after !== status;
    return after;
  });
  return changed ? next : statuses;
}
