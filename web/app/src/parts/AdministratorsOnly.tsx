import IconLock from '@tabler/icons-react/dist/esm/icons/IconLock.mjs';
import { Empty } from './Empty';

/** What others see in the place of administrators' pages. */
export function AdministratorsOnly() {
  return (
    <Empty alone icon={<IconLock />} title="For administrators only">
      Your account sees its own images and builds. An administrator of this installation can tell you more.
    </Empty>
  );
}
