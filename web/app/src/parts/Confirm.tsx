import { Button, Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import type { CombinedError } from 'urql';
import { Failure } from './Failure';
import classes from './Confirm.module.css';

type Props = {
  opened: boolean;
  title: string;
  children: ReactNode;
  confirm: string;
  busy: boolean;
  error: CombinedError | undefined;
  onConfirm: () => void | Promise<void>;
  onClose: () => void;
};

/** Asks before what cannot be taken back. It stays, with the reason, where that failed. */
export function Confirm({ opened, title, children, confirm, busy, error, onConfirm, onClose }: Props) {
  // lockScroll would add a style element, which the Content-Security-Policy forbids; the library's header would be a second banner.
  return (
    <Modal.Root opened={opened} onClose={onClose} centered lockScroll={false}>
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Body className={classes.confirm}>
          <Modal.Title className={classes.title}>{title}</Modal.Title>
          <div>{children}</div>
          <Failure error={error} />
          <div className={classes.buttons}>
            <Button variant="subtle" color="gray" onClick={onClose} data-autofocus>
              Cancel
            </Button>
            <Button color="red" loading={busy} onClick={() => void onConfirm()}>
              {confirm}
            </Button>
          </div>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
