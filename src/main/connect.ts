/** Kubernetes access as the command line's global flags say it. */
import type { GlobalValues } from '../cli/command.ts';
import { CommandError } from '../cli/errors.ts';
import type { ClusterAccess } from '../kube/access.ts';
import { AccessError, loadAccess } from '../kube/kubeconfig.ts';
import type { Clock } from '../lib/clock.ts';

/** @throws CommandError when the kubeconfig does not lead anywhere. */
export function accessFor({ kubeconfig, context, cluster, user, server, token }: GlobalValues, clock: Clock): ClusterAccess {
  const given = Object.fromEntries(
    Object.entries({ kubeconfig, context, cluster, user, server, token }).filter(([, value]) => value !== null),
  );
  try {
    return loadAccess({ ...given, env: process.env, clock });
  } catch (error) {
    if (error instanceof AccessError) throw new CommandError(error.message, { cause: error });
    throw error;
  }
}
