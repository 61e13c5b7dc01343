import { Button } from '@mantine/core';
import IconCompass from '@tabler/icons-react/dist/esm/icons/IconCompass.mjs';
import { Link } from 'react-router';
import { usePageTitle } from '../frame/usePageTitle';
import { Empty } from '../parts/Empty';

/** What shows where there is nothing: a wrong address, or a thing that is gone or another account's. */
export function NotFound({ what = 'page' }: { what?: string }) {
  usePageTitle('Not found');
  return (
    <Empty
      alone
      icon={<IconCompass />}
      title={`There is no such ${what}`}
      action={
        <Button component={Link} to="/" variant="default">
          To your images
        </Button>
      }
    >
      It may have been deleted, or the address has a slip in it.
    </Empty>
  );
}
