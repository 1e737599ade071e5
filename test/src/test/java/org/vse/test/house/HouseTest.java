package org.vse.test.house;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The classes of the release keep the rules of the house. */
class HouseTest {
    private static final House HOUSE = new House("org.vse");
    private static JavaClasses classes;

    @BeforeAll
    static void read() {
        classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .withImportOption(location -> !location.contains("/org/vse/test/") && !location.contains("-tests.jar"))
                .importPackages("org.vse");
    }

    static Stream<ArchRule> rules() {
        return HOUSE.all().stream();
    }

    @ParameterizedTest
    @MethodSource("rules")
    void isKept(ArchRule rule) {
        rule.check(classes);
    }

    @Test
    void everyRoomHasClassesToCheck() {
        TreeSet<String> found = new TreeSet<>();
        classes.forEach(c -> found.add(c.getPackageName().split("\\.")[2]));
        assertThat(found).containsExactlyElementsOf(House.rooms());
    }

    @Test
    void everyPackageSaysWhatItIsFor() {
        List<String> without = classes.stream()
                .map(JavaClass::getPackage)
                .distinct()
                .filter(p -> p.tryGetPackageInfo().isEmpty())
                .map(JavaPackage::getName)
                .toList();
        assertThat(without).as("packages without package-info.java").isEmpty();
    }
}
