/**
 * The pod that tells a node to reboot. It runs once and knows the boot id that it is to end: on another boot it does nothing. So a
 * container that the kubelet starts again after the reboot, or a creation that arrives late, does not reboot the node once more.
 */
import { GROUP_VERSION, labels } from '../api/names.ts';
import type { Node } from '../api/objects.ts';
import type { Action, RebootSettings } from './action.ts';
import type { Maintenance } from './maintenance.ts';

// $1: the boot id to be ended, $2: the file that has the present one; then the command. Only what the shell itself can do.
const GUARDED = `read -r now < "$2" || [ -n "$now" ] || { echo "cannot read the boot id in $2" > /dev/termination-log; exit 65; }
[ "$now" = "$1" ] || { echo "not needed any more: this is boot $now" > /dev/termination-log; exit 0; }
shift 2
"$@" > /dev/termination-log 2>&1`;

// The kubelet reports this value as the boot id (pkg/kubelet/winstats/perfcounter_nodestats_windows.go, getBootID).
const GUARDED_WINDOWS = `$now = (Get-ItemProperty 'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management\\PrefetchParameters').BootId
if ("$now" -ne $env:DROVER_BOOT_ID) { exit 0 }
shutdown.exe /r /f /t 5
exit $LASTEXITCODE`;

// Not namespaced: in any container it is the host's.
const BOOT_ID = '/proc/sys/kernel/random/boot_id';
/** Where another file that the kubelet is told to read is mounted. */
const OTHER_BOOT_ID = '/run/drover/boot_id';
const DBUS = '/run/dbus/system_bus_socket';

type Body = Readonly<Record<string, unknown>>;

interface Runner {
  readonly command: readonly string[];
  readonly image: string;
  readonly container: Body & { readonly volumeMounts?: readonly Body[] };
  readonly spec: Body & { readonly volumes?: readonly Body[] };
}

const guarded = (bootId: string, file: string, command: readonly string[]) => [
  'sh',
  '-c',
  GUARDED,
  'drover',
  bootId,
  file,
  ...command,
];

const unconfined = { appArmorProfile: { type: 'Unconfined' } };
// Enough to signal process 1 and to speak D-Bus: both ask who one is, and nothing more.
const asRoot = { runAsUser: 0, allowPrivilegeEscalation: false, ...unconfined };

const runners: {
  readonly [M in RebootSettings['method']]: (reboot: RebootSettings, bootId: string, bootIdFile: string) => Runner;
} = {
  Command: ({ command, image }, bootId, bootIdFile) => ({
    image,
    command: guarded(bootId, bootIdFile, ['nsenter', '-t', '1', '-m', '-u', '-i', '-n', '--', ...command]),
    container: { securityContext: { privileged: true } },
    spec: { hostPID: true },
  }),
  Signal: ({ signal, image }, bootId, bootIdFile) => ({
    image,
    command: guarded(bootId, bootIdFile, ['kill', `-${signal}`, '1']),
    container: { securityContext: { ...asRoot, capabilities: { drop: ['ALL'], add: ['KILL'] } } },
    spec: { hostPID: true },
  }),
  Systemd: ({ image }, bootId, bootIdFile) => ({
    image,
    command: guarded(bootId, bootIdFile, [
      'dbus-send',
      '--system',
      '--print-reply',
      '--dest=org.freedesktop.login1',
      '/org/freedesktop/login1',
      'org.freedesktop.login1.Manager.Reboot',
      'boolean:false',
    ]),
    container: {
      securityContext: { ...asRoot, capabilities: { drop: ['ALL'] } },
      volumeMounts: [{ name: 'dbus', mountPath: DBUS }],
    },
    spec: { volumes: [{ name: 'dbus', hostPath: { path: DBUS, type: 'Socket' } }] },
  }),
};

/** The runner on Linux; where the boot id is in a file of its own, with that file. */
function onLinux(reboot: RebootSettings, bootId: string, nodeName: string): Runner {
  if (reboot.bootIdFile === BOOT_ID) return runners[reboot.method](reboot, bootId, BOOT_ID);
  const { container, spec, ...rest } = runners[reboot.method](reboot, bootId, OTHER_BOOT_ID);
  const hostPath = { path: reboot.bootIdFile.replaceAll('$(DROVER_NODE)', nodeName), type: 'File' };
  const mount = { name: 'boot-id', mountPath: OTHER_BOOT_ID, readOnly: true };
  return {
    ...rest,
    container: { ...container, volumeMounts: [...(container.volumeMounts ?? []), mount] },
    spec: { ...spec, volumes: [...(spec.volumes ?? []), { name: 'boot-id', hostPath }] },
  };
}

const onWindows = (image: string): Runner => ({
  image,
  command: ['powershell.exe', '-NoProfile', '-Command', GUARDED_WINDOWS],
  container: {},
  spec: { securityContext: { windowsOptions: { hostProcess: true, runAsUserName: 'NT AUTHORITY\\SYSTEM' } } },
});

export function isWindows(node: Node): boolean {
  return node.labels['kubernetes.io/os'] === 'windows';
}

/** Of one attempt; the same again after a crash. */
export function rebootPodName(uid: string, attempt: number): string {
  return `drover-reboot-${uid}-${attempt}`;
}

/** What ties a pod or a Job to its NodeMaintenance: with that it is deleted, and not before, so that its name is never free again. */
export function ownedBy({ id }: Pick<Maintenance, 'id'>, { uid }: Action): Body {
  return {
    ownerReferences: [
      { apiVersion: GROUP_VERSION, kind: 'NodeMaintenance', name: id, uid, controller: true, blockOwnerDeletion: false },
    ],
  };
}

/** For the containers of such a pod. */
export function environment({ id, nodeName, reason }: Maintenance): readonly Body[] {
  return [
    { name: 'DROVER_NODE', value: nodeName },
    { name: 'DROVER_MAINTENANCE', value: id },
    { name: 'DROVER_REASON', value: reason },
  ];
}

/** @param bootId the boot that is to be ended */
export function rebootPod(maintenance: Maintenance, action: Action, node: Node, name: string, bootId: string): Body {
  const { reboot } = action;
  const { command, image, container, spec } = isWindows(node)
    ? onWindows(reboot.windowsImage ?? '')
    : onLinux(reboot, bootId, node.name);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: reboot.namespace,
      labels: { 'app.kubernetes.io/name': 'drover', [labels.action]: 'reboot' },
      ...ownedBy(maintenance, action),
    },
    spec: {
      nodeName: node.name,
      restartPolicy: 'Never',
      tolerations: [{ operator: 'Exists' }],
      activeDeadlineSeconds: Math.max(1, Math.ceil(reboot.timeoutMs / 1_000)),
      terminationGracePeriodSeconds: 5,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      // The pod network of a node may be what the reboot is to mend.
      hostNetwork: true,
      ...spec,
      containers: [
        {
          name: 'reboot',
          image,
          command,
          env: [...environment(maintenance), { name: 'DROVER_BOOT_ID', value: bootId }],
          ...container,
        },
      ],
    },
  };
}
