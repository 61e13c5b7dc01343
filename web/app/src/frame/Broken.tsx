import { Button } from '@mantine/core';
import IconAlertTriangle from '@tabler/icons-react/dist/esm/icons/IconAlertTriangle.mjs';
import { useRouteError } from 'react-router';
import { Empty } from '../parts/Empty';

/** What shows where a page's own code failed, or could not be loaded. */
export function Broken() {
  const error = useRouteError();
  const stale = error instanceof TypeError && /import|module/i.test(error.message);
  return (
    <Empty
      alone
      icon={<IconAlertTriangle />}
      title={stale ? 'This page could not be loaded' : 'This page broke'}
      action={<Button onClick={() => location.reload()}>Load again</Button>}
    >
      {stale
        ? 'The connection was lost, or a newer version of Drydock was installed meanwhile. Loading again brings the present one.'
        : 'That is a defect of ours. Loading again may help; what you saved is safe.'}
    </Empty>
  );
}
