//! Files that change, vanish or come twice.

use super::*;

#[test]
fn a_file_is_loaded_once_and_a_changed_one_replaces_its_rows() {
    on_both(&csv(), |source, folder| {
        let path = write(folder, "f.csv", b"id,name\n1,a\n2,b\n");
        let other = write(folder, "g.csv", b"id,name\n7,z\n");
        assert!(matches!(source.load(&path), Ok(LoadOutcome::Loaded(loaded)) if !loaded.replaced && loaded.rows == 2));
        assert!(matches!(source.load_as(&other, "data/g.csv"), Ok(LoadOutcome::Loaded(_))));
        assert!(matches!(source.load(&path), Ok(LoadOutcome::Unchanged)));
        assert_eq!(source.table_text(), ["1|a", "2|b", "7|z"]);
        assert_eq!(manifest(source), ["data/f.csv|16|2|0|run-1|64", "data/g.csv|12|1|0|run-1|64"]);
        write(folder, "f.csv", b"id,name\n2,B\nx,y\n");
        assert!(matches!(source.load(&path), Ok(LoadOutcome::Loaded(loaded)) if loaded.replaced && loaded.rows == 1));
        assert_eq!(source.table_text(), ["2|B", "7|z"]);
        assert_eq!(manifest(source), ["data/f.csv|16|1|1|run-1|64", "data/g.csv|12|1|0|run-1|64"]);
        assert_eq!(source.rejects_text().len(), 1);
        write(folder, "f.csv", b"id,name\n2,B\n");
        assert!(matches!(source.load(&path), Ok(LoadOutcome::Loaded(_))));
        assert_eq!(source.rejects_text(), [""; 0]);
        let files = source.rows("select _acca_file from raw.t order by 1").concat();
        assert_eq!(files, ["data/f.csv", "data/g.csv"].map(|file| Datum::Text(file.to_owned())));
        // A full refresh does not empty the table first, and loads what has not changed; the rows of a file that went stay.
        source.session.execute("create view raw.v as select * from raw.t").unwrap();
        let present = present(folder, &["data/f.csv"]);
        let refresh = |source: &mut Source<'_>, prune: bool| {
            source.run(Some(Refresh { files: &present, buckets: None, prune }), &|| false, |loader, session| {
                assert_eq!(session.query("select * from raw.v", None)?.rows.len(), 2);
                let outcome = loader.load(session, &path, "data/f.csv")?;
                Ok((outcome, loader.settle_gone(session)?))
            })
        };
        let kept = refresh(source, false).unwrap();
        assert!(matches!(kept, (LoadOutcome::Loaded(loaded), Gone { kept: 1, removed: 0 }) if loaded.replaced));
        assert_eq!(source.table_text(), ["2|B", "7|z"]);
        assert_eq!(manifest(source), ["data/f.csv|12|1|0|run-1|64", "data/g.csv|12|1|0|run-1|64"]);
        let pruned = refresh(source, true).unwrap();
        assert!(matches!(pruned, (LoadOutcome::Loaded(_), Gone { kept: 0, removed: 1 })));
        assert_eq!((source.table_text(), manifest(source)), (vec!["2|B".to_owned()], vec!["data/f.csv|12|1|0|run-1|64".to_owned()]));
    });
}

#[test]
fn a_refresh_with_a_malformed_file_keeps_the_old_rows_of_all() {
    on_both(&csv_without_rejects(), |source, folder| {
        let files = [("f.csv", "id,name\n1,a\n"), ("g.csv", "id,name\n2,b\n"), ("h.csv", "id,name\n3,c\n")];
        for (name, text) in files {
            let path = write(folder, name, text.as_bytes());
            source.load_as(&path, name).unwrap();
        }
        let before = manifest(source);
        // A malformed file in the middle, and an interrupt after it: the first file is new, all others are as they were.
        write(folder, "f.csv", b"id,name\n1,A\n");
        write(folder, "g.csv", b"id,name\nx,b\n");
        let present = present(folder, &["f.csv", "g.csv", "h.csv"]);
        let refresh = Some(Refresh { files: &present, buckets: None, prune: false });
        let done = source.run(refresh, &|| false, |loader, session| {
            loader.load(session, &folder.join("f.csv"), "f.csv")?;
            loader.load(session, &folder.join("g.csv"), "g.csv")
        });
        assert!(matches!(&done, Err(LoadError::Rejected { file, .. }) if file == "g.csv"), "{done:?}");
        assert_eq!(source.table_text(), ["1|A", "2|b", "3|c"]);
        assert_eq!(manifest(source), before);
        let rejected = source.rejects_text();
        assert!(matches!(rejected.as_slice(), [one] if one.starts_with("g.csv|2|")), "{rejected:?}");
        let cancelled = source.run(refresh, &|| true, |loader, session| loader.load(session, &folder.join("f.csv"), "f.csv"));
        assert!(matches!(cancelled, Err(LoadError::Engine(AdapterError::Cancelled))), "{cancelled:?}");
        assert_eq!(source.table_text(), ["1|A", "2|b", "3|c"]);
    });
}

#[test]
fn a_refresh_that_prunes_takes_out_all_that_is_left_of_vanished_files() {
    on_both(&csv(), |source, folder| {
        for (name, text) in [("f.csv", "id,name\n1,a\n"), ("g.csv", "id,name\n2,b\nx,y\n")] {
            let path = write(folder, name, text.as_bytes());
            source.load_as(&path, name).unwrap();
        }
        // Rows that the manifest does not know of: of a file that is there, and of one that is not.
        source.session.execute("insert into raw.t (id, name, _acca_file) values (8, 'p', 'h.csv'), (9, 'q', 'lost.csv')").unwrap();
        let path = write(folder, "h.csv", b"id,name\n8,P\n");
        let refresh = |loader: &mut Loader<'_>, session: &mut dyn Session| {
            loader.load(session, &folder.join("f.csv"), "f.csv")?;
            loader.load(session, &path, "h.csv")?;
            loader.settle_gone(session)
        };
        let present = present(folder, &["f.csv", "h.csv"]);
        let gone = source.run(Some(Refresh { files: &present, buckets: None, prune: true }), &|| false, refresh).unwrap();
        assert_eq!(gone, Gone { kept: 0, removed: 2 });
        assert_eq!(source.table_text(), ["1|a", "8|P"]);
        assert_eq!(manifest(source), ["f.csv|12|1|0|run-1|64", "h.csv|12|1|0|run-1|64"]);
        assert_eq!(source.rejects_text(), [""; 0]);
        // An ordinary load keeps what it once loaded.
        assert_eq!(source.run(None, &|| false, |loader, session| loader.settle_gone(session)).unwrap(), Gone::default());
        assert_eq!(source.table_text(), ["1|a", "8|P"]);
    });
}

#[test]
fn files_with_equal_bytes_are_loaded_and_told() {
    on_both(&csv(), |source, folder| {
        let [row, other] = [&b"id,name\n1,a\n"[..], b"id,name\n2,b\n"];
        let load = |source: &mut Source<'_>, refresh: bool, names: &[&str]| -> Vec<String> {
            let body = |loader: &mut Loader<'_>, session: &mut dyn Session| {
                for name in names {
                    loader.load(session, &folder.join(name), name)?;
                }
                loader.settle_gone(session)?;
                Ok(loader.duplicates().into_iter().map(|(file, other)| format!("{file} = {other}")).collect())
            };
            let present = present(folder, names);
            source.run(refresh.then_some(Refresh { files: &present, buckets: None, prune: true }), &|| false, body).unwrap()
        };
        for (name, bytes) in [("a.csv", row), ("b.csv", row), ("c.csv", other), ("d.csv", b"id,name\n"), ("e.csv", b"id,name\n")] {
            write(folder, name, bytes);
        }
        assert_eq!(load(source, false, &["a.csv", "b.csv", "c.csv", "d.csv", "e.csv"]), ["b.csv = a.csv"]);
        assert_eq!(source.table_text(), ["1|a", "1|a", "2|b"]);
        assert_eq!(load(source, false, &["a.csv", "b.csv"]), [""; 0]);
        write(folder, "z.csv", other);
        assert_eq!(load(source, false, &["z.csv"]), ["z.csv = c.csv"]);
        // Contents that change places are not there twice; neither is a file that was only renamed, once a refresh knows it.
        write(folder, "b.csv", other);
        write(folder, "c.csv", row);
        assert_eq!(load(source, true, &["b.csv", "c.csv"]), [""; 0]);
        write(folder, "new.csv", row);
        assert_eq!(load(source, true, &["b.csv", "new.csv"]), [""; 0]);
        assert_eq!(source.table_text(), ["1|a", "2|b"]);
    });
}
