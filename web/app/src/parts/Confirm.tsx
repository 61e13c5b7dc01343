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
  onConfirm: () => void;
  onClose: () => void;
};

/** Asks before what cannot be taken back. It stays, with the reason, where that failed. */
export function Confirm({ opened, title, children, confirm, busy, error, onConfirm, onClose }: Props) {
  // lockScroll would add a style element, which the Content-Security-Policy forbids.
  return (
    <Modal opened={opened} onClose={onClose} title={title} centered lockScroll={false} closeButtonProps={{ 'aria-label': 'Close' }}>
      <div className={classes.confirm}>
        <div>{children}</div>
        <Failure error={error} />
        <div className={classes.buttons}>
          <Button variant="subtle" color="gray" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button color="red" loading={busy} onClick={onConfirm}>
            {confirm}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
